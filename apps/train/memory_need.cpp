#include "apps/train/memory_need.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/base/error.h"
#include "engine/training/optimizer.h"
#include "io/data/loader.h"
#include "io/data/row_order.h"

namespace quadgate::apps {
namespace {

/// The steps of the largest batch, in the first epoch and over the valid split.
std::int64_t steps_of_largest_batch(const RunConfig& config, Dataset& data) {
  std::int64_t most = 0;
  for (const char* name : {"train", "valid"}) {
    if (!data.has_split(name)) continue;
    Split& split = data.split(name);
    std::optional<Shuffle> shuffle;
    if (name == std::string_view("train") && config.train.shuffle.value_or(true)) {
      shuffle = {static_cast<std::uint64_t>(config.train.seed), 0,
                 config.train.shuffle_buffer.value_or(0), config.train.bucket_by_length};
    }
    RowOrder order(split, config.train.batch_size, shuffle);
    for (std::vector<std::int64_t> rows; order.next(rows);) {
      std::int64_t steps = 0;
      for (const std::int64_t row : rows) steps += split.length(row);
      most = std::max(most, steps);
    }
  }
  return most;
}

/// What a network for batches of so many steps in all does not write to of what it has planned.
double unused_bytes(const RunConfig& config, const NetworkOptions& options, Network& network,
                    std::int64_t seq_len, std::int64_t steps) {
  const ModelConfig& model = network.config();
  const std::int64_t rows = config.train.batch_size;
  const std::int64_t shortest = model.conv ? model.conv->shortest() : 1;
  const std::int64_t used = std::max((steps + rows - 1) / rows, shortest);
  if (used >= seq_len) return 0;
  const auto planned = [&](std::int64_t length) {
    const std::size_t before = Buffer::bytes_held();
    const Network probe(model, length, rows, network.arena(), options);
    return static_cast<double>(Buffer::bytes_held() - before);
  };
  return planned(seq_len) - planned(used);
}

/// Of the batches that wait for the network, and the one in it.
double bytes_of_batches(const RunConfig& config, const ModelConfig& model, Dataset& data,
                        std::int64_t steps) {
  constexpr double kFloat = sizeof(float);
  constexpr double kLabel = sizeof(std::int64_t);
  const double step = kFloat * static_cast<double>(model.has_embedding() ? 1 : data.input_size()) +
                      (model.task == Task::tagging ? kLabel : 0);
  const double row =
      kFloat * static_cast<double>(model.task == Task::regression ? model.target_size() : 0);
  const Split& train = data.split("train");
  const std::int64_t batches = (train.size() - 1) / config.train.batch_size + 1;
  const auto ahead = static_cast<double>(std::min<std::int64_t>(batches, Loader::kAhead + 1));
  return ahead *
         (step * static_cast<double>(steps) + row * static_cast<double>(config.train.batch_size));
}

/// Weights of so many bytes, their gradient, as many arrays of `states` of the optimizer; and
/// weights and states again as the writer of checkpoints copies them, and as the file in memory
/// that it makes of the copy.
double bytes_of_weights(double weights, double states) {
  return weights * (2 + states + 2 * (1 + states));
}

/// Arrays of the optimizer, each as large as the weights.
double num_states(const RunConfig& config) {
  return static_cast<double>(Optimizer(config.train.optimizer, 0).states().size());
}

std::string steps_key(const RunConfig& config, const ModelConfig& model) {
  if (config.train.bptt_len) return "train.bptt_len";
  return config.data.horizon && model.task == Task::regression ? "data.input_len" : "";
}

/// Which key takes most of it.
std::string culprit(const MemoryNeed& need, const RunConfig& config, const ModelConfig& model,
                    std::int64_t seq_len) {
  if (need.batches > need.weights) {
    const std::string key = steps_key(config, model);
    const std::string steps =
        fmt::format("sequences of up to {} steps{}", seq_len, key.empty() ? "" : " (" + key + ")");
    const std::string rows = fmt::format("train.batch_size {}", config.train.batch_size);
    return seq_len > config.train.batch_size ? fmt::format("{} in batches of {}", steps, rows)
                                             : fmt::format("{} with {}", rows, steps);
  }
  const std::int64_t tokens = model.embedding.vocabulary_size;
  const auto of_tokens = static_cast<double>(tokens * model.input_size());
  const auto of_head = static_cast<double>(model.output_size * model.rnn.output_size());
  const bool is_tied = model.embedding.tie_weights;
  const double all = count_parameters(model);
  if (model.has_embedding() && of_tokens + (is_tied ? 0 : of_head) > all / 2 && tokens > 0) {
    return fmt::format("the weights of a vocabulary of {} tokens with model.embedding_size {}",
                       tokens, model.input_size());
  }
  return fmt::format("the weights of model.hidden_size {}", model.rnn.hidden_size);
}

}  // namespace

MemoryNeed memory_need(const RunConfig& config, const NetworkOptions& options, Dataset& data,
                       Trainer& trainer, std::int64_t seq_len, const Memory& before) {
  Network& network = trainer.network();
  const ModelConfig& model = network.config();
  const auto weights = static_cast<double>(network.parameters().values().size_bytes());
  const double states = num_states(config);
  const std::int64_t steps = steps_of_largest_batch(config, data);
  MemoryNeed need{.program = before.taken,
                  .weights = bytes_of_weights(weights, states),
                  .batches = static_cast<double>(Buffer::bytes_held()) - weights * (2 + states) +
                             bytes_of_batches(config, model, data, steps)};
  if (network.backend() == BackendKind::onednn) {
    // It writes to some half of the workspaces that it asks for.
    need.unsure = need.batches / 2;
  } else {
    need.batches -= unused_bytes(config, options, network, seq_len, steps);
  }
  return need;
}

MemoryNeed least_memory_need(const RunConfig& config, const ModelConfig& model) {
  return {.weights = bytes_of_weights(sizeof(float) * count_parameters(model), num_states(config))};
}

void expect_room(const MemoryNeed& need, const Memory& memory, const RunConfig& config,
                 const ModelConfig& model, std::int64_t seq_len) {
  constexpr double kSurely = 0.9;  // of the estimate
  const double least = kSurely * (need.total() - need.unsure);
  if (!memory.available || least <= *memory.available) return;
  throw InvalidArgument(fmt::format("training needs {} of memory, {} are free; most is for {}",
                                    bytes_text(need.total()), bytes_text(*memory.available),
                                    culprit(need, config, model, seq_len)));
}

std::string bytes_text(double bytes) {
  constexpr double kGiga = 1e9;
  return fmt::format("{:.{}f} GB", bytes / kGiga, bytes < kGiga ? 2 : 1);
}

}  // namespace quadgate::apps
