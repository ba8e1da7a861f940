#include "engine/cluster/exchange_plan.h"

#include <algorithm>

#include "engine/base/ceil_div.h"

namespace quadgate::cluster {
namespace {

constexpr std::size_t kMostBuckets = 32;
constexpr std::size_t kLeastBlocks = 2;  // of a bucket, a rank

}  // namespace

ExchangePlan::ExchangePlan(std::size_t n, int world_size, std::size_t block)
    : block_(block), groups_(world_size) {
  for (; groups_ % 2 == 0; groups_ /= 2) ++halvings_;
  // As many blocks for each rank, so that both ways of a link have the same to carry.
  const auto ranks = static_cast<std::size_t>(world_size);
  const std::size_t of_rank = ceil_div(ceil_div(n, block), kMostBuckets * ranks);
  const std::size_t blocks = ranks * std::max(kLeastBlocks, of_rank);
  for (std::size_t begin = 0; begin < n; begin += blocks * block) {
    buckets_.push_back({begin, std::min(blocks * block, n - begin)});
  }
}

ExchangePlan::Numbers ExchangePlan::buckets_of(FlatRange range) const noexcept {
  if (range.size == 0) return {0, 0};
  const std::size_t size = buckets_[0].size;  // of all but the last
  return {range.begin / size, std::min(buckets(), ceil_div(range.begin + range.size, size))};
}

FlatRange ExchangePlan::cut(FlatRange range, int parts, int part) const noexcept {
  const std::size_t blocks = ceil_div(range.size, block_);
  const auto end_of = [&](int count) {
    const std::size_t whole = blocks * static_cast<std::size_t>(count);
    return std::min(range.size, whole / static_cast<std::size_t>(parts) * block_);
  };
  const std::size_t begin = end_of(part);
  return {range.begin + begin, end_of(part + 1) - begin};
}

FlatRange ExchangePlan::half(std::size_t bucket, int rank, int steps) const noexcept {
  FlatRange range = buckets_[bucket];
  for (int step = 0; step < steps; ++step) range = cut(range, 2, (rank >> step) & 1);
  return range;
}

FlatRange ExchangePlan::owned(std::size_t bucket, int rank) const noexcept {
  return cut(half(bucket, rank, halvings_), groups_, index(rank));
}

}  // namespace quadgate::cluster
