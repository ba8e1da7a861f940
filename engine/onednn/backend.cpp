#include "engine/onednn/backend.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"
#include "engine/threads/parallel_tiles.h"

namespace quadgate::onednn {
namespace {

/// Rows of a slice, from the batch size alone, so that the result does not depend on the cores: at
/// least four slices while they have 4 rows or more (16 rows already fill oneDNN's product), and at
/// most 16 slices, since each keeps a copy of the gradients.
std::int64_t rows_per_slice(std::int64_t batch_size) {
  constexpr std::int64_t kFewestRows = 4;
  constexpr std::int64_t kEnoughRows = 16;
  constexpr std::int64_t kMostShards = 16;
  const auto share = [&](std::int64_t slices) { return ceil_div(batch_size, slices); };
  return std::max(std::clamp(share(4), kFewestRows, kEnoughRows), share(kMostShards));
}

}  // namespace

Backend::Backend(const NetworkPlan& plan, const Parameters& parameters, Arena& arena)
    : plan_(plan),
      gradient_(parameters),
      arena_(arena),
      rows_(rows_per_slice(plan.batch_size)),
      weights_(plan.model.rnn, parameters, plan.seq_len, rows_),
      gradient_sum_(plan.model.rnn, parameters, weights_) {
  const std::int64_t slices = ceil_div(plan.batch_size, rows_);
  metrics_.resize(static_cast<std::size_t>(slices));
  slice_times_.resize(static_cast<std::size_t>(slices));
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    gradients_.emplace_back(gradient_sum_.slice_size());
  }
  arena.for_each(1, [&](std::int64_t) {
    for (std::int64_t i = 0; i < std::min<std::int64_t>(slices, arena.threads()); ++i) {
      at_work_.push_back(
          std::make_unique<BatchSlice>(plan.model, parameters, weights_, plan.seq_len, rows_));
    }
  });
}

void Backend::pack(const WeightArrival& arrival) {
  if (arrival) arrival({0, gradient_.values().size()}, true);
  weights_.pack(arena_);
}

/// There are no sparse rows: oneDNN's networks have no embedding.
void Backend::update(const RangeUpdate& update, const SparseRows& /*rows*/) {
  for_each_tile(arena_, gradient_.values().size(), [&](std::size_t begin, std::int64_t size) {
    update({.begin = begin, .size = static_cast<std::size_t>(size)});
  });
  weights_.pack(arena_);
}

/// Calls per_slice(slice at work, number of the slice in the batch, first row) for every slice and
/// adds up what it returns, in their order.
template <typename PerShard>
Metrics Backend::run(const Batch& batch, PerShard per_slice) {
  const std::int64_t count = ceil_div(batch.rows(), rows_);
  const auto at_work = std::min(count, static_cast<std::int64_t>(at_work_.size()));
  std::atomic<std::int64_t> next = 0;
  arena_.for_each(at_work, [&](std::int64_t index) {
    auto& slice = *at_work_[static_cast<std::size_t>(index)];
    for (std::int64_t i = next++; i < count; i = next++) {
      const auto number = static_cast<std::size_t>(i);
      metrics_[number] = per_slice(slice, number, i * rows_);
    }
  });
  Metrics metrics;
  for (std::int64_t i = 0; i < count; ++i) metrics += metrics_[static_cast<std::size_t>(i)];
  return metrics;
}

Metrics Backend::evaluate(const Batch& batch) {
  return run(batch, [&](BatchSlice& slice, std::size_t, std::int64_t first_row) {
    return slice.loss(slice.forward(batch, first_row, nullptr));
  });
}

void Backend::predict(const Batch& batch, std::span<float> outputs) {
  run(batch, [&](BatchSlice& slice, std::size_t, std::int64_t first_row) {
    slice.copy_outputs(slice.forward(batch, first_row, nullptr), outputs);
    return Metrics{};
  });
}

Derivative Backend::differentiate(const Batch& batch, const DropoutKey& dropout,
                                  float gradient_scale, const GradientListener* /*listener*/) {
  const auto differentiate_slice = [&](BatchSlice& slice, std::size_t number,
                                       std::int64_t first_row) {
    const DropoutMask mask{dropout, first_row};
    const DropoutMask* masked = plan_.model.rnn.dropout > 0 ? &mask : nullptr;
    PhaseTimes& times = slice_times_[number];
    const auto forward = [&] {
      const Stopwatch stopwatch(times, Phase::recurrence_forward);
      return slice.forward(batch, first_row, masked);
    };
    const BatchSlice::Loss loss = slice.loss(forward(), gradient_scale);
    const Stopwatch stopwatch(times, Phase::recurrence_backward);
    slice.backward(loss, gradient_sum_, gradients_[number].data());
    return loss.metrics();
  };
  PhaseTimes wall;
  Metrics metrics;
  double norm = 0;
  {
    const Stopwatch stopwatch(wall, Phase::waiting);
    metrics = run(batch, differentiate_slice);
  }
  const std::int64_t slices = ceil_div(batch.rows(), rows_);
  {
    const Stopwatch stopwatch(wall, Phase::weight_gradients);
    norm = gradient_sum_.sum(arena_, std::span(gradients_).first(static_cast<std::size_t>(slices)),
                             gradient_.values());
  }
  for (const auto phase : {Phase::waiting, Phase::weight_gradients}) {
    times_[phase] += wall[phase] * arena_.threads();
  }
  for (auto& times : slice_times_) {
    times_[Phase::waiting] -= times.total();
    times_ += times;
    times = {};
  }
  return {metrics, gradient_.view(norm)};
}

}  // namespace quadgate::onednn
