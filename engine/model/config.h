#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/model/loss_config.h"

namespace quadgate {

/// What the head predicts. It decides the shape of the targets, and the losses.
enum class Task {
  classification,  ///< one class a sequence, from its pooled output
  tagging,         ///< one class a step, from the output at that step
  regression,      ///< O values a sequence, from its pooled output
};

/// "classification", "tagging" or "regression", as data sets and checkpoints name it.
const char* to_string(Task task) noexcept;

/// The cell of the recurrent layers.
enum class Cell : std::uint8_t { lstm, gru, rnn_tanh, rnn_relu };

/// "lstm", "gru", "rnn_tanh" or "rnn_relu".
std::string_view to_string(Cell cell) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<Cell> parse_cell(std::string_view text) noexcept;
/// Gates in PyTorch's weights: 4 (i f g o), 3 (r z n) or 1.
std::int64_t num_gates(Cell cell) noexcept;

/// How the head of classification and regression sees the outputs of a sequence's own steps.
enum class Pooling : std::uint8_t {
  last,  ///< h_n: the last output of the forward direction, the first of the reverse one
  mean,  ///< the mean of the outputs
  max,   ///< the largest of each feature; the first step that has it gets the gradient
};

/// "last", "mean" or "max".
std::string_view to_string(Pooling pooling) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<Pooling> parse_pooling(std::string_view text) noexcept;

/// The recurrent stack, under the names of torch.nn.LSTM, GRU and RNN.
struct RecurrentConfig {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  bool bidirectional = false;
  double dropout = 0;  ///< probability that an output is zeroed, between layers only
  Cell cell = Cell::lstm;
  std::int64_t proj_size = 0;  ///< features that an LSTM projects h to; 0: it does not
  bool bias = true;            ///< bias_ih and bias_hh are there
  double input_dropout = 0;    ///< probability that a feature of the input is zeroed
  double output_dropout = 0;   ///< likewise of the last layer's output; the states keep theirs
  /// All three masks stay the same over the steps of a sequence: variational dropout (Gal and
  /// Ghahramani 2016, https://arxiv.org/abs/1512.05287).
  bool locked_dropout = false;
  /// Probability that a weight of a weight_hh is zeroed for a whole training pass: DropConnect, as
  /// Merity et al. 2017 (https://arxiv.org/abs/1708.02182) use it.
  double weight_dropout = 0;

  bool operator==(const RecurrentConfig&) const = default;

  std::int64_t num_directions() const noexcept { return bidirectional ? 2 : 1; }
  bool has_dropout() const noexcept {
    return dropout > 0 || input_dropout > 0 || output_dropout > 0 || weight_dropout > 0;
  }
  /// Features of h: proj_size, or hidden_size without.
  std::int64_t h_size() const noexcept { return proj_size > 0 ? proj_size : hidden_size; }
  /// Features of the last layer's output: h of each direction, concatenated.
  std::int64_t output_size() const noexcept { return num_directions() * h_size(); }
  /// Features that go into `layer`.
  std::int64_t layer_input_size(std::int64_t layer) const noexcept {
    return layer == 0 ? input_size : output_size();
  }
};

/// A convolution over the steps of each sequence, then ReLU and pooling, in front of the recurrent
/// stack, under the names of torch.nn.Conv1d and torch.nn.MaxPool1d
/// (https://docs.pytorch.org/docs/2.13/nn.html).
struct ConvConfig {
  std::int64_t input_size = 0;   ///< features of a step of the data, or of an embedding's row
  std::int64_t channels = 0;     ///< the recurrent stack's input_size
  std::int64_t kernel_size = 0;  ///< steps that a product sees
  std::int64_t padding = 0;      ///< steps of zeros before the first and after the last
  std::int64_t pool_size = 1;    ///< steps that give their largest value; 1: no pooling

  bool operator==(const ConvConfig&) const = default;

  /// Steps that come out of `length`.
  std::int64_t output_length(std::int64_t length) const noexcept {
    return (length + 2 * padding - kernel_size + 1) / pool_size;
  }
  /// The fewest steps of which one comes out.
  std::int64_t shortest() const noexcept {
    const std::int64_t steps = kernel_size + pool_size - 1 - 2 * padding;
    return steps > 1 ? steps : 1;
  }
};

/// A table of features for tokens, under the names of torch.nn.Embedding; the size of a row is the
/// model's input_size.
struct EmbeddingConfig {
  std::int64_t vocabulary_size = 0;             ///< rows; 0: the input is features, not tokens
  std::optional<std::int64_t> padding_index{};  ///< a row that starts as zeros and never changes
  bool tie_weights = false;                     ///< the table is the head's weight, too
  bool sparse = true;                           ///< only the rows that have a gradient are updated

  bool operator==(const EmbeddingConfig&) const = default;
};

/// What is taken out of the features of each sequence, column by column.
enum class Normalize : std::uint8_t {
  none,
  last,      ///< the values of its last step
  instance,  ///< mean and standard deviation over its steps: RevIN (Kim et al. 2022)
};

/// "none", "last" or "instance".
std::string_view to_string(Normalize normalize) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<Normalize> parse_normalize(std::string_view text) noexcept;

/// What RevIN adds to a variance, and, squared, to a weight that is divided by.
inline constexpr float kNormalizationEps = 1e-5F;

/// The levels of a forecast's sequences. Its outputs are later values of some columns of its
/// features: `last` takes each sequence's last values out of the features and adds them to the
/// outputs, `residual` adds them alone. `instance` is RevIN as https://github.com/ts-kim/RevIN has
/// it: (x - mean) / std of each column, with eps 1e-5 in the variance, times affine_weight plus
/// affine_bias; and that back for the outputs. Losses and errors are of what comes out of this.
struct NormalizationConfig {
  Normalize kind = Normalize::none;
  bool residual = false;  ///< without kind
  /// Of the features: what the values to predict are of, in turns, as the targets of each step.
  std::vector<std::int64_t> columns{};
  /// Features without a level of their own, as the hour: level 0, scale 1.
  std::vector<std::int64_t> without_level{};

  bool operator==(const NormalizationConfig&) const = default;

  bool is_on() const noexcept { return kind != Normalize::none || residual; }
  /// Whether it changes the features.
  bool changes_features() const noexcept { return kind != Normalize::none; }
  /// Whether it has parameters.
  bool is_affine() const noexcept { return kind == Normalize::instance; }
};

/// A whole model and its loss:
///
///     tokens -> embedding ---> [convolution] -> recurrent stack -> pooling -> head [output_size]
///     features [normalized] -> [convolution] -> recurrent stack -> pooling -> head [normalized
///                                                                       back: output_size]
struct ModelConfig {
  RecurrentConfig rnn;
  Task task = Task::classification;
  std::int64_t output_size = 0;
  Pooling pooling = Pooling::last;  ///< classification and regression only
  LossConfig loss{};
  EmbeddingConfig embedding{};
  std::optional<ConvConfig> conv{};
  NormalizationConfig normalization{};  ///< of forecasts
  bool crf = false;  ///< tagging: a conditional random field scores the tags of a sequence: see Crf

  bool has_embedding() const noexcept { return embedding.vocabulary_size > 0; }
  /// Features of a step of the data, or of an embedding's row.
  std::int64_t input_size() const noexcept { return conv ? conv->input_size : rnn.input_size; }
  /// Values to predict of a regression's sequence: O, or fewer where the loss has several outputs
  /// for each.
  std::int64_t target_size() const noexcept { return output_size / loss.outputs_per_target(); }
  /// With a normalization: the column whose level an output has; -1: it has none, as the scale of a
  /// distribution.
  std::int64_t level_column(std::int64_t output) const noexcept {
    const std::int64_t each = loss.outputs_per_target();
    const bool has_level = output % each == 0 || loss.kind == LossKind::pinball;
    const auto target = static_cast<std::size_t>(output / each);
    return has_level ? normalization.columns[target % normalization.columns.size()] : -1;
  }
  /// The most steps of the recurrent stack, where sequences have at most `seq_len`.
  std::int64_t recurrent_length(std::int64_t seq_len) const noexcept {
    return conv ? conv->output_length(seq_len) : seq_len;
  }

  bool operator==(const ModelConfig&) const = default;
};

/// The optimizer and its settings, with PyTorch's names and definitions
/// (https://docs.pytorch.org/docs/2.13/optim.html). The defaults are those of torch.optim.Adam;
/// pytorch_defaults has the others'.
struct OptimizerConfig {
  enum class Kind : std::uint8_t { sgd, adam, adamw, rmsprop };

  Kind kind = Kind::adam;
  double lr = 1e-3;
  double momentum = 0;                         ///< sgd, rmsprop
  bool nesterov = false;                       ///< sgd with momentum
  std::array<double, 2> betas = {0.9, 0.999};  ///< adam, adamw
  double alpha = 0.99;                         ///< rmsprop: decay of the averages
  bool centered = false;                       ///< rmsprop: divide by the variance's root
  double eps = 1e-8;                           ///< adam, adamw, rmsprop
  double weight_decay = 0;            ///< adamw: decoupled; the others: added to the gradient
  std::optional<double> clip_norm{};  ///< largest global norm of the gradients; empty: not clipped
  std::int64_t accumulate_steps = 1;  ///< batches whose gradients are averaged for an update
};

/// "sgd", "adam", "adamw" or "rmsprop", as run files and checkpoints name it.
std::string_view to_string(OptimizerConfig::Kind kind) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<OptimizerConfig::Kind> parse_optimizer(std::string_view text) noexcept;
/// The optimizer with all its settings as PyTorch has them where none is given.
OptimizerConfig pytorch_defaults(OptimizerConfig::Kind kind) noexcept;

/// Throws InvalidArgument, naming the field, unless every size is 1 to 2^31 - 1, every probability
/// of dropout at least 0 and below 1, and 0 <= proj_size < hidden_size, 0 for all cells but the
/// LSTM.
void validate(const RecurrentConfig& config);
/// Also throws it unless the head's sizes are in that range, the loss is valid, tagging has pooling
/// last, padding_index is a token, and tied weights have one shape. A convolution has such sizes,
/// 0 <= padding < kernel_size and the channels that the recurrent stack takes; for tagging, as many
/// steps come out as go in. A normalization is of a regression of features, not with the loss bce
/// nor, of instances, with a distribution, and has columns that the targets are of in whole turns.
/// A crf is for tagging, without class_weights, label_smoothing and ignore_index.
void validate(const ModelConfig& config);

/// Throws InvalidArgument, naming the field, unless the numbers are finite and in their range, and
/// nesterov has a momentum.
void validate(const OptimizerConfig& config);

}  // namespace quadgate
