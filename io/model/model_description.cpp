#include "io/model/model_description.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/parameters.h"
#include "io/attributes/attributes.h"

namespace quadgate {
namespace {

void write_conv(AttributeWriter& to, const ConvConfig& conv) {
  to.write_int("conv_input_size", conv.input_size);
  to.write_int("conv_channels", conv.channels);
  to.write_int("conv_kernel_size", conv.kernel_size);
  to.write_int("conv_padding", conv.padding);
  to.write_int("conv_pool_size", conv.pool_size);
}

// None where the file has no channels.
std::optional<ConvConfig> read_conv(const AttributeReader& from) {
  if (!from.has("conv_channels")) return {};
  return ConvConfig{.input_size = from.read_int("conv_input_size"),
                    .channels = from.read_int("conv_channels"),
                    .kernel_size = from.read_int("conv_kernel_size"),
                    .padding = from.read_int("conv_padding"),
                    .pool_size = from.read_int("conv_pool_size")};
}

void write_normalization(AttributeWriter& to, const NormalizationConfig& normalization) {
  if (normalization.changes_features()) {
    to.write_string("normalize", std::string(to_string(normalization.kind)));
  }
  if (normalization.residual) to.write_int("residual", 1);
  if (normalization.without_level.empty()) return;
  const auto& without = normalization.without_level;
  to.write_doubles("without_level", std::vector<double>(without.begin(), without.end()));
}

// The kinds of dropout that the first files do not have: what is absent is 0.
void write_dropout(AttributeWriter& to, const RecurrentConfig& rnn) {
  const auto write = [&](const char* name, double p) {
    if (p > 0) to.write_double(name, p);
  };
  write("input_dropout", rnn.input_dropout);
  write("output_dropout", rnn.output_dropout);
  write("weight_dropout", rnn.weight_dropout);
  if (rnn.locked_dropout) to.write_int("locked_dropout", 1);
}

void read_dropout(const AttributeReader& from, RecurrentConfig& rnn) {
  const auto read = [&](const char* name) { return from.has(name) ? from.read_double(name) : 0; };
  rnn.input_dropout = read("input_dropout");
  rnn.output_dropout = read("output_dropout");
  rnn.weight_dropout = read("weight_dropout");
  rnn.locked_dropout = from.has("locked_dropout") && from.read_int("locked_dropout") != 0;
}

// Pooling and loss; what is absent has its default.
void write_training_target(AttributeWriter& to, const ModelConfig& model) {
  const LossConfig& loss = model.loss;
  to.write_string("pooling", std::string(to_string(model.pooling)));
  if (loss.kind) to.write_string("loss", std::string(to_string(*loss.kind)));
  to.write_double("huber_delta", loss.huber_delta);
  to.write_double("label_smoothing", loss.label_smoothing);
  to.write_int("ignore_index", loss.ignore_index);
  if (!loss.class_weights.empty()) to.write_floats("class_weights", loss.class_weights);
  if (!loss.quantiles.empty()) to.write_floats("quantiles", loss.quantiles);
}

EmbeddingConfig read_embedding(const AttributeReader& from) {
  EmbeddingConfig embedding;
  if (from.has("vocabulary_size")) {
    embedding.vocabulary_size = from.read_int("vocabulary_size");
  }
  if (from.has("padding_index")) {
    embedding.padding_index = from.read_int("padding_index");
  }
  embedding.tie_weights = from.has("tie_weights") && from.read_int("tie_weights") != 0;
  embedding.sparse = !from.has("sparse_embedding") || from.read_int("sparse_embedding") != 0;
  return embedding;
}

// The value of an attribute that has a name; `absent` where there is none.
template <typename Value, typename Parse>
Value read_named(const AttributeReader& from, const char* name, Value absent, const char* expected,
                 Parse parse) {
  if (!from.has(name)) return absent;
  const std::string found = from.read_string(name);
  const auto value = parse(found);
  if (!value) {
    throw FileError(fmt::format("{}: expected {}, found '{}'", from.where(name), expected, found));
  }
  return *value;
}

std::vector<std::int64_t> read_without_level(const AttributeReader& from) {
  constexpr double kMost = 1LL << 31;
  std::vector<std::int64_t> columns;
  for (const double column : from.read_doubles("without_level")) {
    if (!(column >= 0 && column < kMost && column == std::floor(column))) {
      throw FileError(fmt::format("{}: expected numbers of features, found {}",
                                  from.where("without_level"), column));
    }
    columns.push_back(static_cast<std::int64_t>(column));
  }
  return columns;
}

NormalizationConfig read_normalization(const AttributeReader& from, const DataDescription& data) {
  NormalizationConfig normalization;
  normalization.kind =
      read_named(from, "normalize", normalization.kind, "none, last or instance", parse_normalize);
  normalization.residual = from.has("residual") && from.read_int("residual") != 0;
  if (!normalization.is_on()) return normalization;
  if (!data.window) {
    throw FileError(from.where("input_len") + ": missing, for a normalization of windows");
  }
  if (from.has("without_level")) normalization.without_level = read_without_level(from);
  try {
    normalization.columns = target_columns(data);
  } catch (const InvalidArgument& error) {
    throw FileError(fmt::format("{}: {}", from.where("target_names"), error.what()));
  }
  return normalization;
}

void read_training_target(const AttributeReader& from, ModelConfig& model) {
  model.pooling = read_named(from, "pooling", model.pooling, "last, mean or max", parse_pooling);
  LossConfig& loss = model.loss;
  loss.kind =
      read_named(from, "loss", loss.kind,
                 "cross_entropy, mse, mae, huber, bce, pinball, gaussian or student_t", parse_loss);
  const auto has = [&](const char* name) { return from.has(name); };
  if (has("huber_delta")) loss.huber_delta = from.read_double("huber_delta");
  if (has("label_smoothing")) loss.label_smoothing = from.read_double("label_smoothing");
  if (has("ignore_index")) loss.ignore_index = from.read_int("ignore_index");
  if (has("class_weights")) loss.class_weights = from.read_floats("class_weights");
  if (has("quantiles")) loss.quantiles = from.read_floats("quantiles");
}

// Every token and every class has a name; features have names and a scale each, or none.
void expect_names(const AttributeReader& from, const ModelDescription& model) {
  const auto expect = [&](const char* attribute, std::int64_t expected, std::size_t found,
                          const char* what = "names") {
    if (std::cmp_not_equal(expected, found)) {
      throw FileError(fmt::format("{}: expected {} {}, found {}", from.where(attribute), expected,
                                  what, found));
    }
  };
  const std::int64_t features = model.config.has_embedding() ? 0 : model.config.input_size();
  const DataDescription& data = model.data;
  const std::int64_t of_file = features - std::ssize(data.known_names);
  if (!data.feature_names.empty()) expect("feature_names", of_file, data.feature_names.size());
  if (!data.mean.empty()) expect("mean", of_file, data.mean.size(), "values");
  for (const SeriesScale& scale : data.series_scales) {
    expect("series_mean", of_file, scale.mean.size(), "values a series");
  }
  if (model.config.has_embedding()) {
    expect("token_names", model.config.embedding.vocabulary_size, model.data.token_names.size());
  }
  if (model.config.task != Task::regression) {
    expect("class_names", model.config.output_size, model.data.class_names.size());
  }
}

}  // namespace

void write_model_description(AttributeWriter& to, const ModelDescription& model) {
  const RecurrentConfig& rnn = model.config.rnn;
  to.write_string("cell", std::string(to_string(rnn.cell)));
  to.write_int("input_size", rnn.input_size);
  to.write_int("hidden_size", rnn.hidden_size);
  if (rnn.proj_size > 0) to.write_int("proj_size", rnn.proj_size);
  if (!rnn.bias) to.write_int("bias", 0);
  to.write_int("num_layers", rnn.num_layers);
  to.write_int("bidirectional", rnn.bidirectional ? 1 : 0);
  to.write_double("dropout", rnn.dropout);
  write_dropout(to, rnn);
  to.write_int("output_size", model.config.output_size);
  if (const auto& embedding = model.config.embedding; embedding.vocabulary_size > 0) {
    to.write_int("vocabulary_size", embedding.vocabulary_size);
    if (embedding.padding_index) {
      to.write_int("padding_index", *embedding.padding_index);
    }
    if (embedding.tie_weights) to.write_int("tie_weights", 1);
    if (!embedding.sparse) to.write_int("sparse_embedding", 0);
  }
  if (model.config.conv) write_conv(to, *model.config.conv);
  write_normalization(to, model.config.normalization);
  if (model.config.crf) to.write_int("crf", 1);
  to.write_string("task", to_string(model.config.task));
  write_training_target(to, model.config);
  write_data_description(to, model.data);
}

ModelDescription read_model_description(const AttributeReader& from, const std::string& name) {
  const std::string cell_name = from.read_string("cell");
  const std::optional<Cell> cell = parse_cell(cell_name);
  if (!cell) {
    throw FileError(fmt::format("{}: expected lstm, gru, rnn_tanh or rnn_relu, found '{}'",
                                from.where("cell"), cell_name));
  }
  const std::string task_name = from.read_string("task");
  const std::optional<Task> task = task_from_name(task_name);
  if (!task) {
    throw FileError(fmt::format("{}: expected classification, tagging or regression, found '{}'",
                                from.where("task"), task_name));
  }
  ModelConfig config{.rnn = {.input_size = from.read_int("input_size"),
                             .hidden_size = from.read_int("hidden_size"),
                             .num_layers = from.read_int("num_layers"),
                             .bidirectional = from.read_int("bidirectional") != 0,
                             .dropout = from.read_double("dropout"),
                             .cell = *cell,
                             .proj_size = from.has("proj_size") ? from.read_int("proj_size") : 0,
                             .bias = !from.has("bias") || from.read_int("bias") != 0},
                     .task = *task,
                     .output_size = from.read_int("output_size"),
                     .embedding = read_embedding(from),
                     .conv = read_conv(from),
                     .crf = from.has("crf") && from.read_int("crf") != 0};
  ModelDescription model{.config = std::move(config), .data = read_data_description(from)};
  read_dropout(from, model.config.rnn);
  read_training_target(from, model.config);
  model.config.normalization = read_normalization(from, model.data);
  try {
    model.config.output_size == 0 ? validate(model.config.rnn) : validate(model.config);
  } catch (const InvalidArgument& error) {
    throw FileError(fmt::format("{}: model: {}", name, error.what()));
  }
  expect_names(from, model);
  return model;
}

void expect_weights(const ModelConfig& model, std::int64_t numbers, const std::string& name) {
  // A few may be missing, which is told where each is looked for.
  constexpr double kMostTimes = 4;
  constexpr double kFew = 1 << 16;
  const double expected = count_parameters(model);
  if (expected > kMostTimes * static_cast<double>(numbers) + kFew) {
    throw FileError(fmt::format("{}: model: expected its {:.0f} weights, found {} numbers", name,
                                expected, numbers));
  }
}

}  // namespace quadgate
