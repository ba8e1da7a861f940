#include "engine/cluster/gradient_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "engine/cluster/all_gather.h"
#include "engine/cluster/reduce_scatter.h"
#include "kernels/base/isa.h"

namespace quadgate::cluster {
namespace {

constexpr std::size_t kBlock = ExchangePlan::kBlock;

std::int64_t expect_enough(std::int64_t grad_shards, int world_size) {
  if (grad_shards < world_size) {
    throw InvalidArgument(
        fmt::format("grad_shards: expected at least {}, the number of ranks, "
                    "found {}",
                    world_size, grad_shards));
  }
  return grad_shards;
}

/// Calls body(begin, size) for each block of some ranges, in order.
template <typename Body>
void for_each_block(std::span<const FlatRange> ranges, Body body) {
  for (const FlatRange& range : ranges) {
    for (std::size_t begin = 0; begin < range.size; begin += kBlock) {
      body(range.begin + begin, std::min(kBlock, range.size - begin));
    }
  }
}

}  // namespace

GradientExchange::GradientExchange(Communicator& communicator, std::size_t n,
                                   std::int64_t grad_shards)
    : communicator_(communicator),
      n_(n),
      plan_(n, communicator.world_size()),
      local_(n, expect_enough(grad_shards, communicator.world_size())),
      sum_of_squares_(kernels::sum_of_squares_kernel(kernels::active_isa())) {
  const int rank = communicator.rank();
  const int world_size = communicator.world_size();
  const ShardRange shards = shards_of(rank, world_size, grad_shards);
  first_ = next_ = shards.first;
  last_ = shards.last;
  owned_ = owned_by(rank);

  std::size_t most_blocks = 0;
  std::vector<std::vector<FlatRange>> owned(static_cast<std::size_t>(world_size));
  for (int other = 0; other < world_size; ++other) {
    std::size_t blocks = 0;
    auto& ranges = owned[static_cast<std::size_t>(other)];
    ranges = owned_by(other);
    for_each_block(ranges, [&](std::size_t, std::size_t) { ++blocks; });
    most_blocks = std::max(most_blocks, blocks);
  }
  squares_.resize(most_blocks);
  all_squares_.resize(most_blocks * owned.size());
  place_of_block_.resize((n + kBlock - 1) / kBlock);
  for (std::size_t other = 0; other < owned.size(); ++other) {
    std::size_t place = other * most_blocks;
    for_each_block(owned[other], [&](std::size_t begin, std::size_t) {
      place_of_block_[begin / kBlock] = place++;
    });
  }
  if (world_size > 1) {
    shared_sum_ = Buffer(n);
    reduce_scatter_ = std::make_unique<ReduceScatter>(plan_, rank, grad_shards);
    all_gather_ = std::make_unique<AllGather>(plan_, rank);
  }
}

GradientExchange::~GradientExchange() {
  if (!reduce_scatter_) return;
  try {
    if (is_begun_) communicator_.fail("it ended with an error");
    communicator_.end();
  } catch (const Failure&) {  // nothing is under way
  }
}

std::vector<FlatRange> GradientExchange::owned_by(int rank) const {
  std::vector<FlatRange> ranges;
  for (std::size_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
    const FlatRange range = plan_.owned(bucket, rank);
    if (range.size > 0) ranges.push_back(range);
  }
  return ranges;
}

void GradientExchange::add(std::span<const float> gradient) {
  if (next_ == first_) local_.clear();
  local_.add({0, next_++}, gradient);
  if (last_ - first_ > 1) local_.keep(n_);
}

void GradientExchange::add_absent() {
  absent_.resize(n_, TreeSum::kAbsent);
  add(absent_);
}

std::span<const float> GradientExchange::reduce_scatter() {
  next_ = first_;
  if (!reduce_scatter_) return {local_.parts()[0].values, n_};
  if (is_begun_) {
    communicator_.end();
    is_begun_ = false;
  } else {
    communicator_.end();
    reduce_scatter_->begin(local_.parts(), shared_sum_.span());
    for (std::size_t number = 0; number < buckets(); ++number) reduce_scatter_->release(number);
    communicator_.run(*reduce_scatter_);
  }
  return shared_sum_.span();
}

void GradientExchange::begin_last(std::span<const float> gradient) {
  if (next_ == first_) local_.clear();
  local_.begin({0, next_++}, gradient.data());
  if (!reduce_scatter_) return;
  reduce_scatter_->begin(local_.parts(), shared_sum_.span());
  communicator_.begin(*reduce_scatter_);
  is_begun_ = true;
}

void GradientExchange::release(std::size_t bucket) {
  local_.add_range(plan_.bucket(bucket));
  if (!reduce_scatter_) return;
  reduce_scatter_->release(bucket);
  communicator_.nudge();
}

double GradientExchange::sum_of_squares(std::span<const float> values,
                                        std::span<const std::byte> mine, std::span<std::byte> all) {
  std::size_t block = 0;
  for_each_block(owned_, [&](std::size_t begin, std::size_t size) {
    squares_[block++] = kernels::sum_of_squares(sum_of_squares_, values.data() + begin,
                                                static_cast<std::int64_t>(size));
  });
  const auto squares = std::as_bytes(std::span(squares_));
  record_.resize(squares.size() + mine.size());
  std::ranges::copy(mine, std::ranges::copy(squares, record_.begin()).out);
  all_records_.resize(record_.size() * static_cast<std::size_t>(communicator_.world_size()));
  communicator_.all_gather(record_, all_records_);
  auto squares_of_rank = std::as_writable_bytes(std::span(all_squares_)).begin();
  auto its_own = all.begin();
  for (std::span<const std::byte> rest = all_records_; !rest.empty();
       rest = rest.subspan(record_.size())) {
    squares_of_rank = std::ranges::copy(rest.first(squares.size()), squares_of_rank).out;
    its_own = std::ranges::copy(rest.subspan(squares.size(), mine.size()), its_own).out;
  }
  double sum = 0;
  for (const std::size_t place : place_of_block_) sum += all_squares_[place];
  return sum;
}

void GradientExchange::all_gather(std::span<float> values) {
  if (!all_gather_) return;
  communicator_.end();
  all_gather_->begin(values);
  communicator_.run(*all_gather_);
}

void GradientExchange::begin_all_gather(std::span<float> values) {
  if (!all_gather_) return;
  communicator_.end();
  all_gather_->begin(values);
  communicator_.begin(*all_gather_);
}

void GradientExchange::wait_for(FlatRange range) {
  if (!all_gather_) return;
  communicator_.wait([&] { return has_come(range); });
}

bool GradientExchange::has_come(FlatRange range) const noexcept {
  if (!all_gather_) return true;
  const auto [first, end] = plan_.buckets_of(range);
  for (std::size_t number = first; number < end; ++number) {
    if (!all_gather_->has_come(number)) return false;
  }
  return true;
}

void GradientExchange::set_gather_order(std::span<const FlatRange> ranges) {
  if (!all_gather_) return;
  std::vector<std::size_t> order;
  std::vector<bool> is_there(buckets());
  const auto add = [&](FlatRange range) {
    const auto [first, end] = plan_.buckets_of(range);
    for (std::size_t number = first; number < end; ++number) {
      if (!is_there[number]) order.push_back(number);
      is_there[number] = true;
    }
  };
  std::ranges::for_each(ranges, add);
  add({0, n_});
  all_gather_->set_order(std::move(order));
}

}  // namespace quadgate::cluster
