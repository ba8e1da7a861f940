#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/cluster/job.h"

namespace quadgate::cluster {

/// A record of each rank, all of one size, comes to all in ceil(log2 R) messages a rank: each sends
/// what it knows to ranks 1, 2, 4, ... before it (Bruck et al., "Efficient algorithms for
/// all-to-all communications in multiport message-passing systems", 1997).
class RecordGather final : public Job {
 public:
  /// Of the first `world_size` ranks.
  explicit RecordGather(int world_size) : world_size_(world_size) {}

  /// The next records: `mine` and, in rank order, `all`. Both stay until it is over.
  void begin(std::span<const std::byte> mine, std::span<std::byte> all);
  bool advance(Messenger& messenger) override;

 private:
  int world_size_;
  std::size_t size_ = 0;  // of a record
  std::span<std::byte> all_;
  std::vector<std::byte> known_;  // records of this rank and those after it
  int count_ = 0;                 // of them
  int coming_ = 0;                // more of them
  int sending_ = 0;               // pieces
  int receiving_ = 0;             // pieces
};

/// A record of each rank, of any size, comes to rank 0.
class RecordsToFirst final : public Job {
 public:
  /// `all` is of rank 0, where it has each record's size.
  RecordsToFirst(std::span<const std::byte> mine, std::span<std::vector<std::byte>> all)
      : mine_(mine), all_(all) {}
  bool advance(Messenger& messenger) override;

 private:
  std::span<const std::byte> mine_;
  std::span<std::vector<std::byte>> all_;
  bool begun_ = false;
  int pending_ = 0;
};

}  // namespace quadgate::cluster
