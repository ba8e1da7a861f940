#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/parameters.h"

namespace quadgate::cluster {

/// Which ranges of a flat array [n] the ranks send to each other, and whose each is in the end.
///
/// The array is cut into buckets, which travel one beside the other. The number of ranks is m * 2^j
/// with an odd m. In step s of j, ranks whose numbers differ in bit s alone share a range of each
/// bucket and halve it: the one with a 0 takes the lower half. Then the m ranks whose numbers have
/// the same last j bits are a group: its range is cut into m. All cuts are at whole blocks, so
/// small arrays leave some ranks without a share.
class ExchangePlan {
 public:
  /// 16 KiB of floats.
  static constexpr std::size_t kBlock = 4096;

  ExchangePlan(std::size_t n, int world_size, std::size_t block = kBlock);

  std::size_t block() const noexcept { return block_; }
  int world_size() const noexcept { return groups_ << halvings_; }
  /// At most 32, of as many blocks for each rank, at least 2, 32 KiB, but for the last.
  std::size_t buckets() const noexcept { return buckets_.size(); }
  /// j
  int halvings() const noexcept { return halvings_; }
  /// m
  int group_size() const noexcept { return groups_; }

  /// With whom `rank` halves in step `step`.
  static int partner(int rank, int step) noexcept { return rank ^ (1 << step); }
  /// Member `index` of the group of `rank`, and which one `rank` is.
  int member(int rank, int index) const noexcept {
    return (index << halvings_) | (rank & ((1 << halvings_) - 1));
  }
  int index(int rank) const noexcept { return rank >> halvings_; }

  FlatRange bucket(std::size_t number) const noexcept { return buckets_[number]; }
  /// The numbers [first, end) of those that have something in common with a range.
  struct Numbers {
    std::size_t first;
    std::size_t end;
  };
  Numbers buckets_of(FlatRange range) const noexcept;
  /// What `rank` has of a bucket after `steps` halvings.
  FlatRange half(std::size_t bucket, int rank, int steps) const noexcept;
  /// What is the rank's in the end.
  FlatRange owned(std::size_t bucket, int rank) const noexcept;

 private:
  FlatRange cut(FlatRange range, int parts, int part) const noexcept;

  std::size_t block_;
  int halvings_ = 0;
  int groups_;
  std::vector<FlatRange> buckets_;
};

}  // namespace quadgate::cluster
