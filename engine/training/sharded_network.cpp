#include "engine/training/sharded_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <exception>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/batch_rows.h"
#include "engine/model/gradient_buffer.h"
#include "engine/threads/parallel_tiles.h"

namespace quadgate {
namespace {

constexpr std::size_t kWordBits = 64;

std::int64_t valid_shards(const cluster::Communicator& communicator, std::int64_t batch_size,
                          std::int64_t grad_shards) {
  if (grad_shards < communicator.world_size() || grad_shards > batch_size) {
    throw InvalidArgument(
        fmt::format("grad_shards: expected {} (ranks) to {} (batch_size), found {}",
                    communicator.world_size(), batch_size, grad_shards));
  }
  return grad_shards;
}

/// Calls body(index in `all`, index in `part`, values) for each run of values of the states of rows
/// [first, end) of N = `rows`.
template <typename Body>
void for_each_run(std::size_t size, std::int64_t rows, std::int64_t parts, std::int64_t first,
                  std::int64_t end, Body body) {
  const std::int64_t width = static_cast<std::int64_t>(size) / (rows * parts);
  for (std::int64_t part = 0; part < parts; ++part) {
    body((part * rows + first) * width, part * (end - first) * width, (end - first) * width);
  }
}

}  // namespace

ShardedNetwork::ShardedNetwork(Network& network, cluster::Communicator& communicator,
                               std::int64_t batch_size, std::int64_t grad_shards)
    : network_(network),
      communicator_(communicator),
      batch_size_(batch_size),
      grad_shards_(valid_shards(communicator, batch_size, grad_shards)),
      exchange_(communicator, network.parameters().values().size(), grad_shards),
      table_(sparse_table(network.parameters())) {
  const auto ranks = static_cast<std::size_t>(communicator.world_size());
  records_.resize(static_cast<std::size_t>(shard_rows(grad_shards, communicator.world_size())));
  all_records_.resize(ranks * records_.size());
  if (table_.size > 0) {
    has_row_.resize(table_.size / static_cast<std::size_t>(table_.width) / kWordBits + 1);
    all_have_row_.resize(ranks * has_row_.size());
    rows_.reserve(table_.size / static_cast<std::size_t>(table_.width));
  }
  if (network.carried_states() != nullptr) reset_states();
  if (communicator.world_size() > 1) {
    network.set_arrival([this](const FlatRange& range, bool waits) {
      if (waits) exchange_.wait_for(range);
      return waits || exchange_.has_come(range);
    });
    exchange_.set_gather_order(network.awaited_ranges());
  }
  const std::vector<FlatRange> ranges = network.gradient_ranges();
  if (ranges.empty() || communicator.world_size() == 1) return;
  tasks_.resize(exchange_.buckets());
  left_ = std::make_unique<std::atomic<int>[]>(tasks_.size());
  listener_ = [this](const FlatRange& range) { count(range); };
  for (const FlatRange& range : ranges) {
    const auto [first, end] = exchange_.buckets_of(range);
    for (std::size_t i = first; i < end; ++i) ++tasks_[i];
  }
}

ShardedNetwork::~ShardedNetwork() { network_.set_arrival({}); }

/// Lets a bucket go whose last task this was.
void ShardedNetwork::count(const FlatRange& range) {
  const auto [first, end] = exchange_.buckets_of(range);
  for (std::size_t i = first; i < end; ++i) {
    if (--left_[i] == 0) exchange_.release(i);
  }
}

std::vector<FlatRange> ShardedNetwork::owned() const {
  return {exchange_.owned().begin(), exchange_.owned().end()};
}

/// Rows [first, end) of a batch.
const Batch& ShardedNetwork::part(const Batch& batch, std::int64_t first, std::int64_t end) {
  if (first == 0 && end == batch.rows()) return batch;
  clear(part_);
  append_rows(batch, first, end, part_);
  return part_;
}

/// Calls pass(rows, number of the first in the whole batch) for each of this rank's shards, with no
/// rows where the batch has fewer than there are shards, and keeps its metrics.
template <typename Pass>
void ShardedNetwork::for_each_shard(const Batch& batch, Pass pass) {
  const std::int64_t rows = batch.whole_rows > 0 ? batch.whole_rows : batch.rows();
  const std::int64_t before = batch.whole_rows > 0 ? cut(rows, exchange_.first_shard()) : 0;
  for (std::int64_t shard = exchange_.first_shard(); shard < exchange_.last_shard(); ++shard) {
    const auto index = static_cast<std::size_t>(shard - exchange_.first_shard());
    const std::int64_t first = cut(rows, shard);
    const Batch& its_rows = part(batch, first - before, cut(rows, shard + 1) - before);
    if (!states_.empty()) std::swap(states_[index], *network_.carried_states());
    records_[index] = {.metrics = pass(its_rows, first), .flags = flags_};
    if (!states_.empty()) std::swap(states_[index], *network_.carried_states());
  }
}

/// Adds up the metrics of all shards of all ranks, which have come, in their order.
Metrics ShardedNetwork::sum_metrics() noexcept {
  Metrics sum;
  all_flags_ = 0;
  for (const Record& record : all_records_) {  // without a shard it is empty
    sum += record.metrics;
    all_flags_ |= record.flags;
  }
  return sum;
}

Metrics ShardedNetwork::evaluate(const Batch& batch) {
  for_each_shard(batch, [&](const Batch& rows, std::int64_t) {
    return rows.rows() == 0 ? Metrics{} : network_.evaluate(rows);
  });
  communicator_.all_gather(std::as_bytes(std::span(records_)),
                           std::as_writable_bytes(std::span(all_records_)));
  return sum_metrics();
}

Derivative ShardedNetwork::differentiate(const Batch& batch, const DropoutKey& dropout) {
  std::ranges::fill(has_row_, 0);
  std::int64_t left = exchange_.last_shard() - exchange_.first_shard();
  for_each_shard(batch, [&](const Batch& rows, std::int64_t first_row) {
    const bool travels = --left == 0 && !tasks_.empty();
    if (rows.rows() == 0) {
      exchange_.add_absent();
      return Metrics{};
    }
    const DropoutKey key{dropout.seed, dropout.step, first_row};
    const auto [its_metrics, gradient] =
        travels ? differentiate_last(rows, key) : network_.differentiate_sum(rows, key);
    if (!travels) exchange_.add(gradient.values);
    add_rows(gradient.rows);
    return its_metrics;
  });
  const std::span<const float> sum = exchange_.reduce_scatter();
  const double norm = std::sqrt(exchange_.sum_of_squares(
      sum, std::as_bytes(std::span(records_)), std::as_writable_bytes(std::span(all_records_))));
  const Metrics metrics = sum_metrics();
  const auto scale = static_cast<float>(metrics.weight > 0 ? 1 / metrics.weight : 0);
  return {metrics, {.values = sum, .norm = scale * norm, .scale = scale, .rows = all_rows()}};
}

/// Of this rank's last shard. Its gradient travels a bucket at a time, each as soon as it is there.
Derivative ShardedNetwork::differentiate_last(const Batch& rows, const DropoutKey& key) {
  exchange_.begin_last(network_.gradient_values());
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    left_[i] = tasks_[i];
    if (tasks_[i] == 0) exchange_.release(i);
  }
  try {
    return network_.differentiate_sum(rows, key, &listener_);
  } catch (const std::exception& error) {
    // The others wait for this gradient already: they hear of it before the exchange goes.
    communicator_.fail(error.what());
    throw;
  }
}

double ShardedNetwork::norm(std::span<const float> values) {
  return std::sqrt(exchange_.sum_of_squares(values));
}

void ShardedNetwork::add_rows(const SparseRows& rows) {
  for (const std::int32_t row : rows.present) {
    const auto bit = static_cast<std::size_t>(row);
    has_row_[bit / kWordBits] |= std::uint64_t{1} << bit % kWordBits;
  }
}

/// The rows that any shard has, in order.
SparseRows ShardedNetwork::all_rows() {
  if (table_.size == 0) return {};
  communicator_.all_gather(std::as_bytes(std::span(has_row_)),
                           std::as_writable_bytes(std::span(all_have_row_)));
  rows_.clear();
  for (std::size_t word = 0; word < has_row_.size(); ++word) {
    std::uint64_t bits = 0;
    for (std::size_t i = word; i < all_have_row_.size(); i += has_row_.size()) {
      bits |= all_have_row_[i];
    }
    for (; bits != 0; bits &= bits - 1) {
      rows_.push_back(static_cast<std::int32_t>(word * kWordBits) + std::countr_zero(bits));
    }
  }
  SparseRows rows = table_;
  rows.present = rows_;
  return rows;
}

void ShardedNetwork::update(Optimizer& optimizer, const Gradient& gradient, float scale) {
  Arena& arena = network_.arena();
  const SparseRows& rows = gradient.rows;
  const auto for_each_range = [&](const RangeUpdate& update) {
    for (const FlatRange& range : exchange_.owned()) {
      const std::size_t end = range.begin + range.size;
      arena.for_each(rows.tiles(), [&](std::int64_t tile) {
        rows.for_each(tile, [&](const FlatRange& row) {
          const std::size_t begin = std::max(row.begin, range.begin);
          const std::size_t row_end = std::min(row.begin + row.size, end);
          if (begin < row_end) update({.begin = begin, .size = row_end - begin});
        });
      });
      const std::size_t begin = std::clamp(rows.size, range.begin, end);
      for_each_tile(arena, end - begin, [&](std::size_t start, std::int64_t length) {
        update({.begin = begin + start, .size = static_cast<std::size_t>(length)});
      });
    }
  };
  ParameterEditor editor = network_.parameters().edit();
  optimizer.step(std::cref(for_each_range), editor.values(), gradient, scale);
  exchange_.begin_all_gather(editor.values());
}

void ShardedNetwork::gather(const Optimizer& from, Optimizer* to) {
  if (to != nullptr) to->set_steps(from.steps());
  for (std::size_t i = 0; i < from.states().size(); ++i) {
    int rank = 0;
    for (const auto& bytes :
         communicator_.gather_any(std::as_bytes(from.states()[i].array.span()))) {
      const auto* part = reinterpret_cast<const float*>(bytes.data());
      for (const FlatRange& range : exchange_.owned_by(rank++)) {
        std::copy_n(part, range.size, to->states()[i].array.data() + range.begin);
        part += range.size;
      }
    }
  }
}

double ShardedNetwork::of_first(double value) {
  std::vector<double> all(static_cast<std::size_t>(communicator_.world_size()));
  communicator_.all_gather(std::as_bytes(std::span(&value, 1)),
                           std::as_writable_bytes(std::span(all)));
  return all.front();
}

RecurrentStates ShardedNetwork::gather_states() {
  if (states_.empty()) return {};
  std::vector<float> mine;
  for (const RecurrentStates& states : states_) {
    mine.insert(mine.end(), states.h.begin(), states.h.end());
    mine.insert(mine.end(), states.c.begin(), states.c.end());
  }
  const RecurrentConfig& config = network_.config().rnn;
  RecurrentStates all = RecurrentStates::zeros(config, batch_size_);
  std::int64_t shard = 0;
  for (const auto& bytes : communicator_.gather_any(std::as_bytes(std::span(mine)))) {
    const auto* from = reinterpret_cast<const float*>(bytes.data());
    const auto* const end = from + bytes.size() / sizeof(float);
    for (; from != end; ++shard) {
      for (std::vector<float>* to : {&all.h, &all.c}) {
        if (to->empty()) continue;
        for_each_run(to->size(), batch_size_, config.num_layers, cut(batch_size_, shard),
                     cut(batch_size_, shard + 1),
                     [&](std::int64_t at, std::int64_t, std::int64_t size) {
                       std::copy_n(from, size, to->begin() + at);
                       from += size;
                     });
      }
    }
  }
  return all;
}

void ShardedNetwork::set_states(const RecurrentStates& all) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const std::int64_t shard = exchange_.first_shard() + static_cast<std::int64_t>(i);
    const auto take = [&](const std::vector<float>& from, std::vector<float>& to) {
      if (to.empty()) return;
      for_each_run(from.size(), batch_size_, network_.config().rnn.num_layers,
                   cut(batch_size_, shard), cut(batch_size_, shard + 1),
                   [&](std::int64_t at, std::int64_t in_part, std::int64_t size) {
                     std::copy_n(from.begin() + at, size, to.begin() + in_part);
                   });
    };
    take(all.h, states_[i].h);
    take(all.c, states_[i].c);
  }
}

void ShardedNetwork::reset_states() {
  states_.clear();
  if (network_.carried_states() == nullptr) return;
  for (std::int64_t shard = exchange_.first_shard(); shard < exchange_.last_shard(); ++shard) {
    states_.push_back(RecurrentStates::zeros(
        network_.config().rnn, cut(batch_size_, shard + 1) - cut(batch_size_, shard)));
  }
}

}  // namespace quadgate
