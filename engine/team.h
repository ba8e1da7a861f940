#pragma once

#include <atomic>
#include <cstdint>

namespace quadgate {

/// Cores that work on the same rows at the same time, each on its share of every product, and wait
/// for each other where one needs what the others made.
class Team {
 public:
  /// One core of a team; the only one of a team of its own by default, which never waits.
  class Member {
   public:
    Member() = default;
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
    Team* team_ = nullptr;
    std::int64_t index_ = 0;
    std::int64_t size_ = 1;
  };

 private:
  void wait(std::int64_t size) noexcept;

  std::atomic<std::int64_t> arrived_ = 0;
  std::atomic<std::int64_t> round_ = 0;
};

}  // namespace quadgate
