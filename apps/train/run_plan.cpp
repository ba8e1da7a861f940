#include "apps/train/run_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/data/loader.h"

namespace quadgate::apps {
namespace {

/// Features of a step, or of an embedding's row.
std::int64_t input_size_of(const RunConfig& config, const Dataset& data) {
  const auto& size = config.model.embedding_size;
  const bool tokens = data.vocabulary_size() > 0;
  if (tokens != size.has_value() || (!tokens && config.model.padding_index)) {
    throw InvalidArgument(fmt::format("model.{}: expected {} a data set of {}",
                                      tokens || size ? "embedding_size" : "padding_index",
                                      tokens ? "an integer, at least 1, for" : "no such key for",
                                      tokens ? "tokens" : "features"));
  }
  return size.value_or(data.input_size());
}

std::optional<ConvConfig> conv_of(const RunConfig::Conv& conv, std::int64_t input_size) {
  if (!conv.channels) return {};
  return ConvConfig{input_size, *conv.channels, conv.kernel_size, conv.padding, conv.pool_size};
}

NormalizationConfig normalization_of(const RunConfig::Model& config, const Dataset& data) {
  NormalizationConfig normalization{.kind = config.normalize, .residual = config.residual};
  if (!normalization.is_on()) return {};
  if (!data.is_forecast()) {
    throw InvalidArgument(
        fmt::format("model.{}: expected {} for a data set without a forecast's windows, found {}",
                    config.residual ? "residual" : "normalize", config.residual ? "false" : "none",
                    config.residual ? "true" : to_string(config.normalize)));
  }
  normalization.columns = target_columns(data.description());
  normalization.without_level = covariate_columns(data.description());
  return normalization;
}

/// For each class, as scikit-learn has it: targets / (classes * targets of the class), of the train
/// split and the classes that occur there. A class that does not has weight 1.
std::vector<float> balanced_weights(const RunConfig& config, Dataset& data) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(data.output_size()));
  Loader loader(data.split("train"), config.train.batch_size);
  for (Batch batch; loader.next(batch);) {
    for (const std::int64_t label : batch.labels) {
      if (label != config.train.loss.ignore_index) ++counts[static_cast<std::size_t>(label)];
    }
  }
  const auto all =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  const auto classes =
      static_cast<double>(std::ranges::count_if(counts, [](auto count) { return count > 0; }));
  std::vector<float> weights;
  weights.reserve(counts.size());
  for (const std::int64_t count : counts) {
    weights.push_back(count > 0 ? static_cast<float>(all / (classes * static_cast<double>(count)))
                                : 1.0F);
  }
  return weights;
}

/// Settles the weights of classes.
void complete_class_weights(RunConfig& config, Dataset& data) {
  RunConfig::ClassWeights& weights = config.train.class_weights;
  if (weights.balanced && data.task() == Task::regression) {
    throw InvalidArgument(
        "train.class_weights: expected only for classes, found \"balanced\" for a regression");
  }
  if (weights.balanced) weights = {.values = balanced_weights(config, data)};
  config.train.loss.class_weights = weights.values;
}

}  // namespace

std::optional<Streams> streams_of(RunConfig& config) {
  constexpr std::int64_t kBpttLen = 35;
  const bool is_text = read_dataset_task(config.data.path.names.front()) == "language_model";
  const auto expect = [](bool holds, const char* problem) {
    if (!holds) throw InvalidArgument(problem);
  };
  expect(is_text || !config.model.tie_weights.value_or(false),
         "model.tie_weights: expected false but for a language_model, found true");
  expect(is_text || !config.train.bptt_len,
         "train.bptt_len: expected no such key but for a language_model");
  expect(!is_text || !config.train.shuffle.value_or(false),
         "train.shuffle: expected false for a language_model, found true");
  expect(!is_text || !config.model.bidirectional,
         "model.bidirectional: expected false for a language_model, found true");
  expect(!is_text || !config.model.conv.channels,
         "model.conv: expected none for a language_model, whose next tokens it would see, found "
         "one");
  expect(!is_text || !config.model.crf,
         "model.crf: expected false for a language_model, found true");
  expect(!is_text || !config.train.shuffle_buffer,
         "train.shuffle_buffer: expected no such key for a language_model");
  expect(!is_text || !config.train.bucket_by_length,
         "train.bucket_by_length: expected false for a language_model, found true");
  config.train.shuffle = config.train.shuffle.value_or(!is_text);
  if (!is_text) return {};
  config.train.bptt_len = config.train.bptt_len.value_or(kBpttLen);
  return Streams{config.train.batch_size, *config.train.bptt_len};
}

void complete(RunConfig& config, Dataset& data) {
  const std::int64_t size = data.split("train").size();
  config.train.batch_size = std::min(config.train.batch_size, size);
  const std::int64_t batches = (size - 1) / config.train.batch_size + 1;
  complete_class_weights(config, data);
  complete_schedule(config, (batches - 1) / config.train.optimizer.accumulate_steps + 1);
  if (data.has_split("valid")) return;
  const auto refuse = [&](const char* key, std::string_view found) {
    throw InvalidArgument(fmt::format("{}: expected only with a valid split in {}, found {}", key,
                                      config.data_text(), found));
  };
  if (config.train.schedule.kind == ScheduleConfig::Kind::reduce_on_plateau) {
    refuse("train.schedule.kind", to_string(config.train.schedule.kind));
  }
  if (!config.train.monitor.empty()) refuse("train.monitor", config.train.monitor);
  if (config.train.early_stopping_patience) {
    refuse("train.early_stopping_patience", std::to_string(*config.train.early_stopping_patience));
  }
}

std::int64_t complete_shards(RunConfig& config, const RunConfig* resumed, int world_size) {
  std::optional<std::int64_t>& key = config.train.grad_shards;
  if (!key && resumed != nullptr) key = resumed->train.grad_shards;
  const std::int64_t fewest =
      resumed == nullptr ? std::bit_ceil(static_cast<unsigned>(world_size)) : 1;
  const std::int64_t shards = key.value_or(fewest);
  if (shards < world_size || shards > config.train.batch_size) {
    throw InvalidArgument(fmt::format(
        "train.grad_shards: expected {} (ranks) to {} (train.batch_size), found {}{}", world_size,
        config.train.batch_size, shards, resumed == nullptr ? "" : ", as in the run to resume"));
  }
  key.reset();
  if (shards > 1) key = shards;  // 1 is how a run is without the key
  return shards;
}

ModelConfig model_of(const RunConfig& config, const Dataset& data) {
  ModelConfig model;
  model.conv = conv_of(config.model.conv, input_size_of(config, data));
  model.rnn = {model.conv ? model.conv->channels : input_size_of(config, data),
               config.model.hidden_size, config.model.num_layers, config.model.bidirectional,
               config.model.dropout};
  model.rnn.cell = config.model.cell;
  model.rnn.proj_size = config.model.proj_size;
  model.rnn.bias = config.model.bias;
  model.rnn.input_dropout = config.model.input_dropout;
  model.rnn.output_dropout = config.model.output_dropout;
  model.rnn.locked_dropout = config.model.locked_dropout;
  model.rnn.weight_dropout = config.model.weight_dropout;
  model.task = data.task();
  model.pooling = config.model.pooling;
  model.normalization = normalization_of(config.model, data);
  model.crf = config.model.crf;
  model.loss = config.train.loss;
  model.output_size = data.output_size() * model.loss.outputs_per_target();
  model.embedding = {data.vocabulary_size(), config.model.padding_index,
                     config.model.tie_weights.value_or(false), config.model.sparse_embedding};
  return model;
}

}  // namespace quadgate::apps
