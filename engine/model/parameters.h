#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"

namespace quadgate {

/// Elements [begin, begin + size) of the parameters' flat array, and of those laid out as it is.
struct FlatRange {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// One named tensor inside the flat arrays, row-major.
struct ParameterSlice {
  std::string name;                 ///< PyTorch's dotted name, e.g. "rnn.weight_ih_l0"
  std::vector<std::int64_t> shape;  ///< as in PyTorch, e.g. [4H, I]
  std::size_t offset = 0;           ///< of its first element, a multiple of 16
  std::size_t size = 0;             ///< number of elements
  std::size_t index = 0;            ///< of its tensor among all

  FlatRange range() const noexcept { return {offset, size}; }
};

/// The number of weights that a model of these sizes has, whatever they are, without making it.
double count_parameters(const ModelConfig& config) noexcept;

class Arena;
class ParameterEditor;

/// All weights of a model in one flat 64-byte-aligned array.
///
/// The optimizer sees the flat array; layers and checkpoints see the named slices. The gap between
/// two slices stays zero. The weights are read here and changed through an editor alone, whose end
/// counts as a change: whoever keeps them in a layout of its own compares versions.
class Parameters {
 public:
  /// Lays out the tensors of `config` in PyTorch's order, all zero: embedding.weight
  /// [vocabulary_size, I] if there is one, norm.affine_weight and norm.affine_bias [I] of an
  /// instance normalization, conv.weight [channels, I, kernel_size] and conv.bias
  /// likewise, rnn.{weight_ih,weight_hh,bias_ih,bias_hh,weight_hr}_l{k}[_reverse], weight_hr only
  /// with proj_size, the biases only with bias, then, if output_size is
  /// not 0, head.{weight,bias}, and with crf crf.{start_transitions,end_transitions} [O] and
  /// crf.transitions [O, O], of one tag (row) to the next (column).
  explicit Parameters(const ModelConfig& config);
  /// Those of the recurrent stack alone, under the names of torch.nn.LSTM, GRU and RNN:
  /// weight_ih_l0 and so on.
  explicit Parameters(const RecurrentConfig& config);
  Parameters(Parameters&&) = default;
  Parameters& operator=(Parameters&&) = delete;  // others keep pointers to the values

  /// Of a recurrent stack alone, only its `rnn` counts.
  const ModelConfig& config() const noexcept { return config_; }

  /// Every tensor, in order.
  std::span<const ParameterSlice> slices() const noexcept { return slices_; }
  /// The tensor called `name`. Throws InvalidArgument if there is none.
  const ParameterSlice& slice(std::string_view name) const;

  /// The last two but those of a crf: head.weight [O, D], unless it is tied to embedding.weight,
  /// and head.bias [O].
  const ParameterSlice& head_weight() const noexcept {
    return tied() ? slices_.front() : slices_[head_end() - 2];
  }
  const ParameterSlice& head_bias() const noexcept { return slices_[head_end() - 1]; }

  /// The first one, if the model has an embedding.
  const ParameterSlice& embedding_weight() const noexcept { return slices_.front(); }
  /// Whether it is the head's weight, too.
  bool tied() const noexcept { return config_.embedding.tie_weights; }

  /// Elements of the flat arrays, gaps included.
  std::size_t size() const noexcept { return end(); }
  /// The flat array, gaps included; empty once the weights lie elsewhere.
  std::span<const float> values() const noexcept { return values_.span(); }
  /// The weights of one tensor.
  std::span<const float> value(const ParameterSlice& slice) const noexcept {
    return {*address(slice), slice.size};
  }
  /// Where the address of the weights of one tensor stands.
  const float* const* address(const ParameterSlice& slice) const noexcept {
    return &addresses_[slice.index];
  }

  /// The weights are those of the caller's arrays from now on, one for each slice, which must stay
  /// while a pass takes them over. The flat array ends: there is nothing to edit. Counts as a
  /// change. Throws InvalidArgument if their number is another, or with weight_dropout.
  void lie_in(std::span<const float* const> tensors);

  /// Opens the weights for changes, until the editor ends. Throws InvalidArgument if they lie in
  /// arrays of the caller.
  [[nodiscard]] ParameterEditor edit();
  /// Changes with the weights. Throws InvalidArgument while an editor is open.
  std::uint64_t version() const;

  /// Fills every tensor from the distribution that PyTorch takes: an embedding from N(0, 1), with
  /// zeros at padding_index, unless it is tied; norm.affine_weight is 1, norm.affine_bias 0; all
  /// else from U(-k, k), k = 1/sqrt(hidden_size) in
  /// the cells, 1/sqrt(in_features) in the head and 1/sqrt(I * kernel_size) in the convolution, 0.1
  /// in a crf, as pytorch-crf has it. The
  /// numbers depend on `seed` only (Philox), not on torch's. On the cores of `arena`, or on this
  /// one alone.
  void initialize(std::uint64_t seed, Arena* arena = nullptr);

 private:
  friend class ParameterEditor;

  void add_recurrent(const std::string& prefix);
  void initialize_tile(std::size_t tensor, std::size_t first, std::uint64_t seed,
                       std::span<float> tile) const;
  float initial_bound(std::size_t tensor) const noexcept;
  std::int64_t fan_in(std::size_t tensor) const noexcept;
  void add(std::string name, std::vector<std::int64_t> shape);
  void allocate();
  /// Behind the last tensor of the head.
  std::size_t head_end() const noexcept { return slices_.size() - (config_.crf ? 3 : 0); }
  std::size_t end() const noexcept;  // of the last slice, rounded up to a cache line

  ModelConfig config_;
  std::vector<ParameterSlice> slices_;
  Buffer values_;
  std::vector<const float*> addresses_;  // of each tensor
  std::uint64_t version_ = 1;
  int editors_ = 0;  // open
};

/// The weights of some parameters, to be written to. The parameters must stay where they are, and
/// no pass may run, until it ends. Its views end with it.
class ParameterEditor {
 public:
  ParameterEditor(ParameterEditor&& other) noexcept
      : parameters_(std::exchange(other.parameters_, nullptr)) {}
  ParameterEditor& operator=(ParameterEditor&&) = delete;
  ~ParameterEditor();

  /// The flat array, gaps included: leave these zero. An editor without a name has no views, which
  /// would outlive it.
  std::span<float> values() & noexcept { return parameters_->values_.span(); }
  /// The weights of one tensor. Throws InvalidArgument if there is none of that name.
  std::span<float> value(const ParameterSlice& slice) & noexcept {
    return values().subspan(slice.offset, slice.size);
  }
  std::span<float> value(std::string_view name) & { return value(parameters_->slice(name)); }

 private:
  friend class Parameters;
  explicit ParameterEditor(Parameters& parameters) noexcept : parameters_(&parameters) {
    ++parameters.editors_;
  }

  Parameters* parameters_;  // null: moved from
};

}  // namespace quadgate
