#include "engine/cluster/exchange_plan.h"

#include <algorithm>

namespace quadgate::cluster {
namespace {

constexpr std::size_t kMostBuckets = 32;
constexpr std::size_t kLeastBlocks = 8;  // of a bucket, a rank

std::size_t divide_up(std::size_t whole, std::size_t part) noexcept {
  return (whole + part - 1) / part;
}

}  // namespace

ExchangePlan::ExchangePlan(std::size_t n, int world_size, std::size_t block)
    : block_(block), groups_(world_size) {
  for (; groups_ % 2 == 0; groups_ /= 2) ++halvings_;
  const std::size_t least = kLeastBlocks * static_cast<std::size_t>(world_size);
  const std::size_t blocks = std::max(least, divide_up(divide_up(n, block), kMostBuckets));
  for (std::size_t begin = 0; begin < n; begin += blocks * block) {
    buckets_.push_back({begin, std::min(blocks * block, n - begin)});
  }
}

FlatRange ExchangePlan::cut(FlatRange range, int parts, int part) const noexcept {
  const std::size_t blocks = divide_up(range.size, block_);
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
