#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

namespace quadgate {

/// Cores that work on the same sequences at the same time, each on its share of every product, and
/// wait for each other where one needs what the others made.
///
/// Members spin on its atomics. Each lies on a cache line of its own, and no two teams share one.
/// Those of a large team meet in groups, of each of which the last one then meets the other groups.
class Team {
 public:
  /// For at most so many members.
  explicit Team(std::int64_t most_members = 1);

  /// How many come one after the other to the same counters before the last of `size` members has
  /// met the others: what a wait takes grows with it.
  static constexpr std::int64_t turns(std::int64_t size) noexcept {
    return size <= kGroup ? size - 1 : kGroup - 1 + groups(size) - 1;
  }

  /// One core of a team; the only one of a team of its own by default, which never waits.
  class Member {
   public:
    Member() = default;
    /// Member `index` of `size`, each of which is a thread that runs.
    Member(Team& team, std::int64_t index, std::int64_t size) noexcept
        : team_(&team), index_(index), size_(size) {}

    /// A contiguous share of [0, count).
    struct Share {
      std::int64_t begin;
      std::int64_t end;
    };
    Share share(std::int64_t count) const noexcept {
      return {count * index_ / size_, count * (index_ + 1) / size_};
    }

    /// Returns once every member has called it equally often. Throws what another member's work
    /// has thrown.
    void wait() const {
      if (size_ > 1) team_->wait(index_, size_);
    }

   private:
    Team* team_ = nullptr;
    std::int64_t index_ = 0;
    std::int64_t size_ = 1;
  };

  /// Asks for `size` members; no one may be in the team.
  void open(std::int64_t size) noexcept;

  /// Calls work(member) as a member, the one with this index if all have come. TBB does not promise
  /// that threads run side by side, so the team begins with those who came within a fraction of a
  /// millisecond; whoever comes later does nothing. The exception of a member's work ends the
  /// others at their next wait, and is thrown from the `run` of each of them.
  template <typename Work>
  void run(std::int64_t index, Work work) {
    const std::optional<Member> member = join(index);
    if (!member) return;
    try {
      work(*member);
    } catch (...) {
      fail(std::current_exception());
      throw;
    }
  }

 private:
  static constexpr std::int64_t kClosed = std::int64_t{1} << 32;
  static constexpr std::int64_t kGroup = 16;
  static constexpr std::size_t kCacheLine = 64;

  /// Where some wait for each other.
  struct Meeting {
    alignas(kCacheLine) std::atomic<std::int64_t> arrived = 0;  // in this round
    alignas(kCacheLine) std::atomic<std::int64_t> round = 0;
  };

  static constexpr std::int64_t groups(std::int64_t size) noexcept {
    return (size + kGroup - 1) / kGroup;
  }
  std::optional<Member> join(std::int64_t index) noexcept;
  void wait(std::int64_t index, std::int64_t size);
  template <typename Last>
  void meet(Meeting& meeting, std::int64_t size, Last last);
  void fail(std::exception_ptr error) noexcept;

  std::int64_t wanted_ = 1;
  std::exception_ptr error_;                                  // if has_failed_
  std::vector<Meeting> groups_;                               // of a large team
  alignas(kCacheLine) std::atomic<std::int64_t> joined_ = 0;  // plus kClosed once it has begun
  alignas(kCacheLine) std::atomic<std::int64_t> size_ = 0;    // 0 until it begins
  Meeting all_;
  alignas(kCacheLine) std::atomic<bool> fails_ = false;  // a member has begun to set error_
  std::atomic<bool> has_failed_ = false;
};

}  // namespace quadgate
