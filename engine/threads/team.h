#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace quadgate {

/// Cores that work on the same sequences at the same time, each on its share of every product, and
/// wait for each other where one needs what the others made.
class Team {
 public:
  Team() = default;
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

    /// Returns once every member has called it equally often.
    void wait() const noexcept {
      if (size_ > 1) team_->wait(size_);
    }

   private:
    friend class Team;
    Team* team_ = nullptr;
    std::int64_t index_ = 0;
    std::int64_t size_ = 1;
  };

  /// Asks for `size` members; no one may be in the team.
  void open(std::int64_t size) noexcept;

  /// Becomes a member. TBB does not promise that threads run side by side, so the team begins with
  /// those who came within a fraction of a millisecond; whoever comes later gets nothing.
  std::optional<Member> join() noexcept;

 private:
  void wait(std::int64_t size) noexcept;

  static constexpr std::int64_t kClosed = std::int64_t{1} << 32;

  std::int64_t wanted_ = 1;
  std::atomic<std::int64_t> joined_ = 0;  // plus kClosed once the team has begun
  std::atomic<std::int64_t> size_ = 0;    // 0 until it begins

  std::atomic<std::int64_t> arrived_ = 0;
  std::atomic<std::int64_t> round_ = 0;
};

}  // namespace quadgate
