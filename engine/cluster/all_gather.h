#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "engine/cluster/exchange_plan.h"
#include "engine/cluster/job.h"

namespace quadgate::cluster {

/// Every rank's owned ranges of a flat array come to all: the steps of a plan backwards.
class AllGather final : public Job {
 public:
  /// This rank's part. `plan` must outlive it.
  AllGather(const ExchangePlan& plan, int rank);

  /// From now on the buckets travel in this order: each number once.
  void set_order(std::vector<std::size_t> order) noexcept { order_ = std::move(order); }
  /// The next array [n], which stays until it is over.
  void begin(std::span<float> values) noexcept;
  bool advance(Messenger& messenger) override;
  /// Whether all of a bucket is there. Any thread may call it.
  bool has_come(std::size_t bucket) const noexcept;

 private:
  /// Where a bucket is on its way.
  struct Bucket {
    std::size_t number = 0;
    int step = 0;       // next
    int receiving = 0;  // pieces
    std::atomic<bool> has_come = true;
  };

  bool advance(Bucket& bucket, Messenger& messenger);
  void share_in_group(Bucket& bucket, Messenger& messenger);
  void join_halves(Bucket& bucket, int halving, Messenger& messenger);
  std::span<float> of(FlatRange range) const noexcept {
    return values_.subspan(range.begin, range.size);
  }

  const ExchangePlan& plan_;
  int rank_;
  std::vector<Bucket> buckets_;
  std::vector<std::size_t> order_;
  std::span<float> values_;
  int sending_ = 0;  // pieces
};

}  // namespace quadgate::cluster
