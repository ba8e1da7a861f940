#include "engine/cluster/reduce_scatter.h"

#include <algorithm>
#include <bit>

namespace quadgate::cluster {
namespace {

/// The level of each rank's one subtree, or -1 if there are ranks with others.
int level_of_ranks(int world_size, std::int64_t shards) noexcept {
  const auto each = static_cast<std::uint64_t>(shards / world_size);
  return shards % world_size == 0 && std::has_single_bit(each) ? std::countr_zero(each) : -1;
}

std::span<const std::byte> bytes_of(const float* values, FlatRange range) noexcept {
  return std::as_bytes(std::span(values + range.begin, range.size));
}

}  // namespace

ShardRange shards_of(int rank, int world_size, std::int64_t shards) noexcept {
  return {shards * rank / world_size, shards * (rank + 1) / world_size};
}

ReduceScatter::ReduceScatter(const ExchangePlan& plan, int rank, std::int64_t shards)
    : plan_(plan), rank_(rank), block_(plan.block(), shards), buckets_(plan.buckets()) {
  const int world_size = plan.world_size();
  const int level = level_of_ranks(world_size, shards);
  if (level >= 0) {
    halvings_ = plan.halvings();
    for (int index = 0; index < plan.group_size(); ++index) {
      group_.push_back({plan.member(rank, index), {{level + halvings_, index}}});
    }
  } else {
    for (int other = 0; other < world_size; ++other) {
      const auto [first, last] = shards_of(other, world_size, shards);
      group_.push_back({other, subtrees(first, last, shards)});
    }
  }
  std::size_t others = 0;  // parts
  for (const Member& member : group_) {
    if (member.rank == rank) {
      index_ = static_cast<std::size_t>(&member - group_.data());
    } else {
      others += member.nodes.size();
    }
  }
  slices_.reserve(group_[index_].nodes.size());
  for (std::size_t number = 0; number < plan.buckets(); ++number) {
    const std::size_t half = halvings_ > 0 ? plan.half(number, rank, 1).size : 0;
    buckets_[number].number = number;
    buckets_[number].received = Buffer(std::max(half, others * plan.owned(number, rank).size));
  }
}

void ReduceScatter::begin(std::span<const TreeSum::Part> parts, std::span<float> sum) noexcept {
  parts_ = parts;
  sum_ = sum;
  for (Bucket& bucket : buckets_) {
    bucket.step = 0;
    bucket.is_released.store(false, std::memory_order_relaxed);
  }
}

void ReduceScatter::release(std::size_t bucket) noexcept {
  buckets_[bucket].is_released.store(true, std::memory_order_release);
}

bool ReduceScatter::advance(Messenger& messenger) {
  bool over = true;
  for (Bucket& bucket : buckets_) over = advance(bucket, messenger) && over;
  return over && sending_ == 0;
}

bool ReduceScatter::advance(Bucket& bucket, Messenger& messenger) {
  if (!bucket.is_released.load(std::memory_order_acquire)) return false;
  const int steps = halvings_ + (group_.size() > 1 ? 1 : 0);
  while (bucket.receiving == 0 && bucket.step < steps) {
    const bool halves = bucket.step < halvings_;
    if (bucket.under_way) {
      halves ? end_halving(bucket) : end_sharing(bucket);
      ++bucket.step;
    } else {
      halves ? begin_halving(bucket, messenger) : begin_sharing(bucket, messenger);
    }
    bucket.under_way = !bucket.under_way;
  }
  return bucket.step == steps;
}

void ReduceScatter::begin_halving(Bucket& bucket, Messenger& messenger) {
  const int step = bucket.step;
  const int partner = ExchangePlan::partner(rank_, step);
  const int stream = static_cast<int>(bucket.number);
  const std::size_t size = plan_.half(bucket.number, rank_, step + 1).size;
  const float* const values = step == 0 ? parts_[0].values : sum_.data();
  messenger.receive(partner, MessageKind::large, stream,
                    std::as_writable_bytes(bucket.received.span().first(size)), bucket.receiving);
  messenger.send(partner, MessageKind::large, stream,
                 bytes_of(values, plan_.half(bucket.number, partner, step + 1)), sending_);
}

void ReduceScatter::end_halving(const Bucket& bucket) {
  const FlatRange range = plan_.half(bucket.number, rank_, bucket.step + 1);
  const float* const values = bucket.step == 0 ? parts_[0].values : sum_.data();
  add_arrays({values + range.begin, range.size}, bucket.received.data(), sum_.data() + range.begin);
}

void ReduceScatter::begin_sharing(Bucket& bucket, Messenger& messenger) {
  const int stream = static_cast<int>(bucket.number);
  const std::size_t size = plan_.owned(bucket.number, rank_).size;
  float* place = bucket.received.data();
  for (const Member& member : group_) {
    if (member.rank == rank_) continue;
    for (std::size_t part = 0; part < member.nodes.size(); ++part, place += size) {
      messenger.receive(member.rank, MessageKind::large, stream,
                        std::as_writable_bytes(std::span(place, size)), bucket.receiving);
    }
  }
  // From the next one on, so that not all send to the same at once.
  for (std::size_t i = 1; i < group_.size(); ++i) {
    const int other = group_[(index_ + i) % group_.size()].rank;
    const FlatRange range = plan_.owned(bucket.number, other);
    slices_.clear();
    for (const TreeSum::Part& part : parts_) {
      slices_.push_back(bytes_of(halvings_ > 0 ? sum_.data() : part.values, range));
    }
    messenger.send(other, MessageKind::large, stream, slices_, sending_);
  }
}

void ReduceScatter::end_sharing(const Bucket& bucket) {
  const FlatRange range = plan_.owned(bucket.number, rank_);
  for (std::size_t begin = 0; begin < range.size; begin += plan_.block()) {
    const std::size_t size = std::min(plan_.block(), range.size - begin);
    const float* received = bucket.received.data() + begin;
    block_.clear();
    for (const Member& member : group_) {
      for (std::size_t part = 0; part < member.nodes.size(); ++part) {
        const float* values = received;
        if (member.rank == rank_) {
          values = (halvings_ > 0 ? sum_.data() : parts_[part].values) + range.begin + begin;
        } else {
          received += range.size;
        }
        block_.add(member.nodes[part], {values, size});
      }
    }
    std::copy_n(block_.parts()[0].values, size, sum_.data() + range.begin + begin);
  }
}

}  // namespace quadgate::cluster
