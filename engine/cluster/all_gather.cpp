#include "engine/cluster/all_gather.h"

#include <numeric>

namespace quadgate::cluster {

AllGather::AllGather(const ExchangePlan& plan, int rank)
    : plan_(plan), rank_(rank), buckets_(plan.buckets()), order_(plan.buckets()) {
  std::iota(order_.begin(), order_.end(), 0);
  for (const std::size_t number : order_) buckets_[number].number = number;
}

void AllGather::begin(std::span<float> values) noexcept {
  values_ = values;
  for (Bucket& bucket : buckets_) {
    bucket.step = 0;
    bucket.has_come.store(false, std::memory_order_relaxed);
  }
}

bool AllGather::advance(Messenger& messenger) {
  bool over = true;
  for (const std::size_t number : order_) over = advance(buckets_[number], messenger) && over;
  return over && sending_ == 0;
}

bool AllGather::advance(Bucket& bucket, Messenger& messenger) {
  const int steps = 1 + plan_.halvings();
  while (bucket.receiving == 0 && bucket.step < steps) {
    if (bucket.step == 0) {
      share_in_group(bucket, messenger);
    } else {
      join_halves(bucket, plan_.halvings() - bucket.step, messenger);
    }
    ++bucket.step;
  }
  if (bucket.step < steps || bucket.receiving > 0) return false;
  bucket.has_come.store(true, std::memory_order_release);
  return true;
}

bool AllGather::has_come(std::size_t bucket) const noexcept {
  return buckets_[bucket].has_come.load(std::memory_order_acquire);
}

void AllGather::share_in_group(Bucket& bucket, Messenger& messenger) {
  const int stream = static_cast<int>(bucket.number);
  const int size = plan_.group_size();
  const std::span<const float> mine = of(plan_.owned(bucket.number, rank_));
  for (int i = 1; i < size; ++i) {
    const int from = plan_.member(rank_, (plan_.index(rank_) + size - i) % size);
    messenger.receive(from, MessageKind::large, stream,
                      std::as_writable_bytes(of(plan_.owned(bucket.number, from))),
                      bucket.receiving);
  }
  for (int i = 1; i < size; ++i) {
    const int to = plan_.member(rank_, (plan_.index(rank_) + i) % size);
    messenger.send(to, MessageKind::large, stream, std::as_bytes(mine), sending_);
  }
}

void AllGather::join_halves(Bucket& bucket, int halving, Messenger& messenger) {
  const int stream = static_cast<int>(bucket.number);
  const int partner = ExchangePlan::partner(rank_, halving);
  const std::span<float> mine = of(plan_.half(bucket.number, rank_, halving + 1));
  const std::span<float> other = of(plan_.half(bucket.number, partner, halving + 1));
  messenger.receive(partner, MessageKind::large, stream, std::as_writable_bytes(other),
                    bucket.receiving);
  messenger.send(partner, MessageKind::large, stream, std::as_bytes(mine), sending_);
}

}  // namespace quadgate::cluster
