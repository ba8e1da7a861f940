#include "engine/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/gradient_sum.h"
#include "engine/lstm.h"
#include "engine/shard.h"

namespace quadgate {
namespace {

/// Rows of a shard, from the batch size alone, so that the result does not depend on the cores: at
/// least four shards while they have 4 rows or more (16 rows already fill oneDNN's product), and at
/// most 16 shards, since each keeps a copy of the gradients.
std::int64_t rows_per_shard(std::int64_t batch_size) {
  constexpr std::int64_t kFewestRows = 4;
  constexpr std::int64_t kEnoughRows = 16;
  constexpr std::int64_t kMostShards = 16;
  const auto share = [&](std::int64_t shards) { return (batch_size + shards - 1) / shards; };
  return std::max(std::clamp(share(4), kFewestRows, kEnoughRows), share(kMostShards));
}

void expect(bool holds, const char* field, std::int64_t expected, std::size_t found) {
  if (!holds) {
    throw InvalidArgument(fmt::format("{}: expected {} values, found {}", field, expected, found));
  }
}

void validate_inputs(const ModelConfig& config, std::int64_t seq_len, const Batch& batch) {
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto offset = batch.offsets.begin() + row;
    const std::int64_t length = offset[1] - offset[0];
    if (length < 1 || length > seq_len) {
      throw InvalidArgument(
          fmt::format("batch row {}: length: expected 1 to {}, found {}", row, seq_len, length));
    }
  }
  const std::int64_t values = batch.steps() * config.rnn.input_size;
  expect(std::cmp_equal(batch.x.size(), values), "batch x", values, batch.x.size());
}

/// The number of items that the loss is the mean of.
std::int64_t count_items(const ModelConfig& config, const Batch& batch) {
  switch (config.task) {
    case Task::tagging:
      return batch.steps();
    case Task::regression:
      return batch.rows() * config.output_size;
    case Task::classification:
      break;
  }
  return batch.rows();
}

void validate_targets(const ModelConfig& config, const Batch& batch) {
  const std::int64_t items = count_items(config, batch);
  if (config.task == Task::regression) {
    expect(std::cmp_equal(batch.targets.size(), items), "batch targets", items,
           batch.targets.size());
    return;
  }
  expect(std::cmp_equal(batch.labels.size(), items), "batch labels", items, batch.labels.size());
  for (const std::int64_t label : batch.labels) {
    if (label < 0 || label >= config.output_size) {
      throw DataError(
          fmt::format("label: expected 0 to {}, found {}", config.output_size - 1, label));
    }
  }
}

}  // namespace

/// As many shards as can run at once; each takes its turns over the rows of a batch.
struct Network::Shards {
  Shards(const ModelConfig& config, const Parameters& parameters, std::int64_t longest,
         std::int64_t largest_batch, Arena& arena)
      : seq_len(longest),
        batch_size(largest_batch),
        rows(rows_per_shard(batch_size)),
        weights(config.rnn, parameters, seq_len, rows),
        gradient_sum(config.rnn, parameters, weights) {
    const std::int64_t shards = (batch_size + rows - 1) / rows;
    metrics.resize(static_cast<std::size_t>(shards));
    for (std::int64_t shard = 0; shard < shards; ++shard) {
      gradients.emplace_back();
    }
    arena.for_each(1, [&](std::int64_t) {
      for (std::int64_t i = 0; i < std::min<std::int64_t>(shards, arena.threads()); ++i) {
        at_work.push_back(std::make_unique<Shard>(config, parameters, weights, seq_len, rows));
      }
    });
  }

  std::int64_t seq_len;
  std::int64_t batch_size;
  std::int64_t rows;
  LstmWeights weights;
  GradientSum gradient_sum;
  std::vector<std::unique_ptr<Shard>> at_work;
  std::vector<Metrics> metrics;   // of each shard of the batch
  std::vector<Buffer> gradients;  // likewise, from the first training pass on
};

Network::Network(const ModelConfig& config, std::int64_t seq_len, std::int64_t batch_size,
                 Arena& arena)
    : config_((validate(config), config)), arena_(arena), parameters_(config) {
  if (seq_len < 1 || batch_size < 1) {
    throw InvalidArgument(fmt::format(
        "seq_len and batch_size: expected at least 1, found {} and {}", seq_len, batch_size));
  }
  shards_ = std::make_unique<Shards>(config, parameters_, seq_len, batch_size, arena);
  refresh();
}

Network::~Network() = default;

void Network::refresh() { shards_->weights.pack(arena_); }

/// Calls per_shard(shard at work, number of the shard in the batch, first row) for every shard and
/// adds up what it returns, in their order.
template <typename PerShard>
Metrics Network::run(const Batch& batch, PerShard per_shard) {
  if (batch.rows() == 0) {
    return {};
  }
  if (batch.rows() > shards_->batch_size) {
    throw InvalidArgument(fmt::format("batch: expected at most {} rows, found {}",
                                      shards_->batch_size, batch.rows()));
  }
  validate_inputs(config_, shards_->seq_len, batch);
  const std::int64_t count = (batch.rows() + shards_->rows - 1) / shards_->rows;
  const auto at_work = std::min(count, static_cast<std::int64_t>(shards_->at_work.size()));
  std::atomic<std::int64_t> next = 0;
  arena_.for_each(at_work, [&](std::int64_t index) {
    auto& shard = *shards_->at_work[static_cast<std::size_t>(index)];
    for (std::int64_t i = next++; i < count; i = next++) {
      const auto number = static_cast<std::size_t>(i);
      shards_->metrics[number] = per_shard(shard, number, i * shards_->rows);
    }
  });
  Metrics metrics;
  for (std::int64_t i = 0; i < count; ++i) {
    metrics += shards_->metrics[static_cast<std::size_t>(i)];
  }
  return metrics;
}

Metrics Network::evaluate(const Batch& batch) {
  validate_targets(config_, batch);
  return run(batch, [&](Shard& shard, std::size_t, std::int64_t first_row) {
    shard.forward(batch, first_row, nullptr);
    return shard.loss(batch, false, 0);
  });
}

void Network::predict(const Batch& batch, std::span<float> outputs) {
  const std::int64_t rows = config_.task == Task::tagging ? batch.steps() : batch.rows();
  const std::int64_t size = rows * config_.output_size;
  expect(std::cmp_equal(outputs.size(), size), "outputs", size, outputs.size());
  run(batch, [&](Shard& shard, std::size_t, std::int64_t first_row) {
    shard.forward(batch, first_row, nullptr);
    shard.copy_outputs(batch, outputs);
    return Metrics{};
  });
}

Metrics Network::differentiate(const Batch& batch, const DropoutKey& dropout,
                               double& gradient_norm) {
  if (batch.rows() == 0) {
    throw InvalidArgument("batch: expected at least 1 row, found none");
  }
  validate_targets(config_, batch);
  auto& sum = shards_->gradient_sum;
  auto& gradients = shards_->gradients;
  for (auto& buffer : gradients) {
    if (buffer.size() == 0) {
      buffer = Buffer(sum.shard_size());
    }
  }
  const auto scale = static_cast<float>(1.0 / static_cast<double>(count_items(config_, batch)));
  const Metrics metrics = run(batch, [&](Shard& shard, std::size_t number, std::int64_t first_row) {
    const DropoutMask mask{dropout.seed, dropout.step, first_row};
    const DropoutMask* masked = config_.rnn.dropout > 0 ? &mask : nullptr;
    shard.forward(batch, first_row, masked);
    const Metrics of_shard = shard.loss(batch, true, scale);
    shard.backward(masked, sum, gradients[number].data());
    return of_shard;
  });
  const std::int64_t shards = (batch.rows() + shards_->rows - 1) / shards_->rows;
  gradient_norm =
      sum.sum(arena_, std::span(gradients).first(static_cast<std::size_t>(shards)), parameters_);
  return metrics;
}

}  // namespace quadgate
