#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

namespace quadgate {

/// Indices that are cut into a share a core. A core goes through its own share, whose memory it may
/// have in its caches, and then helps the others. Cores take indices at the same time.
class Shares {
 public:
  /// For at most so many cores.
  explicit Shares(std::size_t most) : nexts_(most) {}

  /// Share k ends at ends[k], where the next one begins. No core may be at work, and `ends` stays
  /// until all are through.
  void open(std::span<const std::int64_t> ends) noexcept {
    ends_ = ends;
    for (std::size_t k = 0; k < ends.size(); ++k) nexts_[k].index = k == 0 ? 0 : ends[k - 1];
  }

  /// A core that works.
  class Core {
   public:
    Core(Shares& shares, std::int64_t number) noexcept : shares_(&shares), number_(number) {}

    /// What it takes next. None: nothing is left.
    std::optional<std::int64_t> next() noexcept {
      for (; left_ < std::ssize(shares_->ends_); ++left_) {
        const auto share = static_cast<std::size_t>((number_ + left_) % std::ssize(shares_->ends_));
        const std::int64_t index = shares_->nexts_[share].index++;
        if (index < shares_->ends_[share]) return index;
      }
      return {};
    }

   private:
    Shares* shares_;
    std::int64_t number_;
    std::int64_t left_ = 0;  // shares that it has found empty
  };

 private:
  /// On a cache line of its own.
  struct alignas(64) Next {
    std::atomic<std::int64_t> index = 0;
  };

  std::span<const std::int64_t> ends_;
  std::vector<Next> nexts_;
};

}  // namespace quadgate
