#include "engine/model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/base/error.h"

namespace quadgate {
namespace {

void expect_at_least_one(const char* field, std::int64_t value) {
  if (value < 1) {
    throw InvalidArgument(fmt::format("{}: expected at least 1, found {}", field, value));
  }
}

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

/// So that what is computed from sizes does not overflow.
void expect_size(const char* field, std::int64_t size) {
  if (size < 1 || size > kMost) {
    throw InvalidArgument(fmt::format("{}: expected 1 to {}, found {}", field, kMost, size));
  }
}

void expect(bool holds, const char* field, const char* expected, double value) {
  if (!holds) {
    throw InvalidArgument(fmt::format("{}: expected {}, found {}", field, expected, value));
  }
}

void validate(const EmbeddingConfig& config) {
  const std::int64_t size = config.vocabulary_size;
  if (size < 0 || size > kMost) {
    throw InvalidArgument(fmt::format("vocabulary_size: expected 0 to {}, found {}", kMost, size));
  }
  const std::int64_t padding = config.padding_index.value_or(0);
  if (config.padding_index && (padding < 0 || padding >= size)) {
    throw InvalidArgument(
        fmt::format("padding_index: expected one of {} tokens, found {}", size, padding));
  }
}

void validate(const ConvConfig& config, const ModelConfig& model) {
  expect_size("conv.input_size", config.input_size);
  expect_size("conv.channels", config.channels);
  expect_size("conv.kernel_size", config.kernel_size);
  expect_size("conv.pool_size", config.pool_size);
  if (config.padding < 0 || config.padding >= config.kernel_size) {
    throw InvalidArgument(
        fmt::format("conv.padding: expected at least 0 and below kernel_size {}, found {}",
                    config.kernel_size, config.padding));
  }
  if (model.rnn.input_size != config.channels) {
    throw InvalidArgument(fmt::format("input_size: expected {}, the channels of conv, found {}",
                                      config.channels, model.rnn.input_size));
  }
  const bool keeps_steps = config.pool_size == 1 && config.kernel_size == 2 * config.padding + 1;
  if (model.task == Task::tagging && !keeps_steps) {
    throw InvalidArgument(fmt::format(
        "conv: expected kernel_size = 2 padding + 1 and pool_size 1 for tagging, found kernel_size "
        "{}, padding {}, pool_size {}",
        config.kernel_size, config.padding, config.pool_size));
  }
}

void validate(const NormalizationConfig& config, const ModelConfig& model) {
  if (!config.is_on()) return;
  const std::string_view name = config.residual ? "residual" : "normalize";
  const auto expect = [&](bool holds, std::string_view expected, std::string_view found) {
    if (!holds) throw InvalidArgument(fmt::format("{}: {}, found {}", name, expected, found));
  };
  expect(!config.residual || !config.changes_features(), "expected false with normalize", "true");
  expect(model.task == Task::regression, "expected only for a forecast", to_string(model.task));
  expect(!model.has_embedding(), "expected only for features", "tokens");
  const LossKind loss = model.loss.kind_for(model.task);
  expect(loss != LossKind::bce, "expected another loss", to_string(loss));
  const bool is_distribution = loss == LossKind::gaussian || loss == LossKind::student_t;
  expect(!config.is_affine() || !is_distribution,
         "instance: expected another loss, without a scale of its own", to_string(loss));
  const auto is_column = [&](std::int64_t column) {
    return column >= 0 && column < model.input_size();
  };
  const bool has_all = std::ranges::all_of(config.columns, is_column) &&
                       std::ranges::all_of(config.without_level, is_column);
  const std::int64_t turn = std::ssize(config.columns);
  expect(turn > 0 && model.target_size() % turn == 0 && has_all,
         fmt::format("expected {} values in whole turns of targets among {} columns",
                     model.target_size(), model.input_size()),
         fmt::format("{} targets", turn));
}

void validate_crf(const ModelConfig& config) {
  const auto expect_none = [](bool none, std::string_view expected, std::string_view found) {
    if (!none) throw InvalidArgument(fmt::format("crf: expected {}, found {}", expected, found));
  };
  expect_none(config.task == Task::tagging, "only for tagging", to_string(config.task));
  expect_none(config.loss.class_weights.empty(), "no class_weights", "some");
  expect_none(config.loss.label_smoothing == 0, "label_smoothing 0", "another");
  expect_none(config.loss.ignore_index == kIgnoreIndex, "no ignore_index", "one");
}

}  // namespace

const char* to_string(Task task) noexcept {
  switch (task) {
    case Task::classification:
      return "classification";
    case Task::tagging:
      return "tagging";
    case Task::regression:
      return "regression";
  }
  return "unknown";
}

std::string_view to_string(Pooling pooling) noexcept {
  switch (pooling) {
    case Pooling::last:
      return "last";
    case Pooling::mean:
      return "mean";
    case Pooling::max:
      break;
  }
  return "max";
}

std::optional<Pooling> parse_pooling(std::string_view text) noexcept {
  for (const auto pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    if (text == to_string(pooling)) return pooling;
  }
  return std::nullopt;
}

std::string_view to_string(Normalize normalize) noexcept {
  switch (normalize) {
    case Normalize::none:
      return "none";
    case Normalize::last:
      return "last";
    case Normalize::instance:
      break;
  }
  return "instance";
}

std::optional<Normalize> parse_normalize(std::string_view text) noexcept {
  for (const auto normalize : {Normalize::none, Normalize::last, Normalize::instance}) {
    if (text == to_string(normalize)) return normalize;
  }
  return std::nullopt;
}

std::string_view to_string(Cell cell) noexcept {
  switch (cell) {
    case Cell::lstm:
      return "lstm";
    case Cell::gru:
      return "gru";
    case Cell::rnn_tanh:
      return "rnn_tanh";
    case Cell::rnn_relu:
      break;
  }
  return "rnn_relu";
}

std::optional<Cell> parse_cell(std::string_view text) noexcept {
  for (const auto cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    if (text == to_string(cell)) return cell;
  }
  return std::nullopt;
}

std::int64_t num_gates(Cell cell) noexcept {
  switch (cell) {
    case Cell::lstm:
      return 4;
    case Cell::gru:
      return 3;
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return 1;
}

std::string_view to_string(OptimizerConfig::Kind kind) noexcept {
  using Kind = OptimizerConfig::Kind;
  switch (kind) {
    case Kind::sgd:
      return "sgd";
    case Kind::adam:
      return "adam";
    case Kind::adamw:
      return "adamw";
    case Kind::rmsprop:
      break;
  }
  return "rmsprop";
}

std::optional<OptimizerConfig::Kind> parse_optimizer(std::string_view text) noexcept {
  using Kind = OptimizerConfig::Kind;
  for (const auto kind : {Kind::sgd, Kind::adam, Kind::adamw, Kind::rmsprop}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

OptimizerConfig pytorch_defaults(OptimizerConfig::Kind kind) noexcept {
  OptimizerConfig config;
  config.kind = kind;
  if (kind == OptimizerConfig::Kind::adamw) config.weight_decay = 1e-2;
  if (kind == OptimizerConfig::Kind::rmsprop) config.lr = 1e-2;
  return config;
}

void validate(const RecurrentConfig& config) {
  expect_size("input_size", config.input_size);
  expect_size("hidden_size", config.hidden_size);
  expect_size("num_layers", config.num_layers);
  const auto probability = [](const char* field, double p) {
    expect(p >= 0 && p < 1, field, "at least 0 and below 1", p);
  };
  probability("dropout", config.dropout);
  probability("input_dropout", config.input_dropout);
  probability("output_dropout", config.output_dropout);
  probability("weight_dropout", config.weight_dropout);
  const std::int64_t most = config.cell == Cell::lstm ? config.hidden_size - 1 : 0;
  if (config.proj_size < 0 || config.proj_size > most) {
    throw InvalidArgument(
        fmt::format("proj_size: expected 0{} with hidden_size {} and cell {}, found {}",
                    most > 0 ? fmt::format(" to {}", most) : "", config.hidden_size,
                    to_string(config.cell), config.proj_size));
  }
}

void validate(const ModelConfig& config) {
  validate(config.rnn);
  expect_size("output_size", config.output_size);
  if (config.task == Task::tagging && config.pooling != Pooling::last) {
    throw InvalidArgument(
        fmt::format("pooling: expected last for tagging and language models, found {}",
                    to_string(config.pooling)));
  }
  validate(config.loss, config.task, config.output_size);
  validate(config.embedding);
  if (config.conv) validate(*config.conv, config);
  validate(config.normalization, config);
  if (config.crf) validate_crf(config);
  if (!config.embedding.tie_weights) return;
  const std::int64_t vocabulary = config.embedding.vocabulary_size;
  const std::int64_t features = config.rnn.output_size();
  if (vocabulary != config.output_size || config.input_size() != features) {
    throw InvalidArgument(fmt::format(
        "tie_weights: expected an embedding of {} tokens of {} features, as the head has them, "
        "found {} of {}",
        config.output_size, features, vocabulary, config.input_size()));
  }
}

void validate(const OptimizerConfig& config) {
  const auto non_negative = [](const char* field, double value) {
    expect(std::isfinite(value) && value >= 0, field, "a finite number, at least 0", value);
  };
  const auto fraction = [](const char* field, double value) {
    expect(value >= 0 && value < 1, field, "at least 0 and below 1", value);
  };
  non_negative("lr", config.lr);
  non_negative("weight_decay", config.weight_decay);
  non_negative("momentum", config.momentum);
  for (const double beta : config.betas) fraction("betas", beta);
  fraction("alpha", config.alpha);
  non_negative("eps", config.eps);
  if (config.nesterov && config.momentum == 0) {
    throw InvalidArgument("momentum: expected above 0 with nesterov, found 0");
  }
  expect_at_least_one("accumulate_steps", config.accumulate_steps);
  if (config.clip_norm) {
    expect(std::isfinite(*config.clip_norm) && *config.clip_norm > 0, "clip_norm",
           "a finite number above 0", *config.clip_norm);
  }
}

}  // namespace quadgate
