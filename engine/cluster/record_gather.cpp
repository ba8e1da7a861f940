#include "engine/cluster/record_gather.h"

#include <algorithm>

namespace quadgate::cluster {

void RecordGather::begin(std::span<const std::byte> mine, std::span<std::byte> all) {
  size_ = mine.size();
  all_ = all;
  known_.resize(all.size());
  std::ranges::copy(mine, known_.begin());
  count_ = 1;
  coming_ = 0;
}

bool RecordGather::advance(Messenger& messenger) {
  while (receiving_ == 0 && count_ < world_size_) {
    count_ += coming_;
    coming_ = std::min(count_, world_size_ - count_);
    if (coming_ == 0) break;
    const int to = (messenger.rank() + world_size_ - count_) % world_size_;
    const int from = (messenger.rank() + count_) % world_size_;
    const std::size_t known = size_ * static_cast<std::size_t>(count_);
    const std::size_t size = size_ * static_cast<std::size_t>(coming_);
    const std::span<std::byte> records(known_);
    messenger.receive(from, MessageKind::record, 0, records.subspan(known, size), receiving_);
    messenger.send(to, MessageKind::record, 0, records.first(size), sending_);
  }
  if (count_ < world_size_ || sending_ > 0) return false;
  // known_ begins with this rank's record, all_ with that of rank 0.
  const std::size_t before = size_ * static_cast<std::size_t>(messenger.rank());
  std::ranges::rotate_copy(known_, known_.end() - static_cast<std::ptrdiff_t>(before),
                           all_.begin());
  return true;
}

bool RecordsToFirst::advance(Messenger& messenger) {
  if (!begun_) {
    begun_ = true;
    if (messenger.rank() != 0) {
      messenger.send(0, MessageKind::record, 0, mine_, pending_);
    } else {
      std::ranges::copy(mine_, all_[0].begin());
      for (std::size_t rank = 1; rank < all_.size(); ++rank) {
        messenger.receive(static_cast<int>(rank), MessageKind::record, 0, all_[rank], pending_);
      }
    }
  }
  return pending_ == 0;
}

}  // namespace quadgate::cluster
