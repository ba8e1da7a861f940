#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster/messenger.h"
#include "engine/cluster/neighbours.h"
#include "engine/cluster/options.h"

namespace quadgate::cluster {

/// Tells dead ranks from slow ones, and sees to it that one rank reports a failure.
///
/// Every rank says each heartbeat that its process lives. Rank 0 listens to all, and all listen to
/// rank 0. What rank 0 learns of a failure it reports, and tells the others. If rank 0 is silent,
/// the others say to each other that they live, and the lowest of them reports; but ranks that are
/// fewer than half are themselves cut off, and report nothing.
class Watch {
 public:
  /// What ended the run.
  struct End {
    std::string text;
    bool is_reported;  ///< by another rank
  };

  /// `messenger` must outlive it.
  Watch(Messenger& messenger, const Options& options);

  /// The names of all ranks' machines, and who is on this one, once they are known.
  void set_places(std::vector<std::string> hosts, Neighbours neighbours) {
    hosts_ = std::move(hosts);
    neighbours_ = std::move(neighbours);
  }

  /// Says what is due and takes note of what others have said. To be called after each poll of the
  /// messenger, with the time since the last call. Throws Error.
  std::optional<End> advance(std::chrono::nanoseconds elapsed);

  /// This rank begins a collective call.
  void begin_call() noexcept { ++calls_; }
  /// This rank failed. advance() tells rank 0, and gives the end in time.
  void fail(std::string_view text);
  /// Says to all that the failure is reported. Throws Error.
  void tell_end(std::string_view text);
  /// Messages of tell_end() that are under way.
  int telling() const noexcept { return telling_; }

  /// This rank is through with the run. It goes on advancing until all are.
  void leave() noexcept { leaves_ = true; }
  bool all_left() const noexcept;

  /// "rank 3 (n4)"
  std::string name(int rank) const;

 private:
  using Time = std::chrono::nanoseconds;
  enum class Kind : std::uint32_t { heartbeat, goodbye, failed, over, alive };
  /// What ranks say to each other, of one size.
  struct Notice {
    Kind kind = Kind::heartbeat;
    std::uint32_t leaves = 0;  // 1: who says it is through
    std::int64_t calls = 0;    // that it has begun
    std::array<char, 496> text{};
  };
  /// Another rank.
  struct Peer {
    Notice notice{};  // that comes
    Notice beat{};    // what is said to it as long as nothing is wrong
    int receiving = 0;
    int sending = 0;  // the beat
    bool is_watched = false;
    bool is_alive = false;  // it has said so since rank 0 is silent
    bool has_goodbye = false;
    std::optional<std::int64_t> left_after;  // so many calls
    std::optional<Time> gone_since;          // its process is no more
    Time heard{0};
  };

  void listen(int rank);
  void say(int rank, const Notice& notice, int& pending);
  std::optional<End> hear_all();
  void find_early_leaver();
  std::optional<End> hear(int rank, const Notice& notice);
  void beat(Kind kind);
  bool may_say_goodbye() const noexcept;
  void look_around();
  bool is_gone(int rank) const noexcept;
  bool is_silent(int rank) const noexcept;
  void ask_who_lives();
  std::optional<End> find_reporter() const;
  End silence(bool are_gone, const std::function<bool(int rank)>& is_meant) const;

  int world_size() const noexcept { return messenger_.world_size(); }
  Peer& peer(int rank) noexcept { return peers_[static_cast<std::size_t>(rank)]; }
  const Peer& peer(int rank) const noexcept { return peers_[static_cast<std::size_t>(rank)]; }

  Messenger& messenger_;
  int rank_;
  Time timeout_;
  Time heartbeat_;
  Time grace_;
  std::string advice_;
  std::vector<std::string> hosts_;  // of each rank; empty: not known
  std::optional<Neighbours> neighbours_;
  Time looked_{0};
  std::vector<Peer> peers_;  // of each rank, this one unused
  Notice failure_{.kind = Kind::failed};
  Notice end_{.kind = Kind::over};
  int telling_ = 0;
  Time now_{0};  // that this process has run
  Time beaten_;
  std::optional<End> heard_end_;
  std::optional<Time> failed_since_;
  std::optional<Time> asked_since_;
  bool failure_is_said_ = false;
  bool leaves_ = false;
  std::int64_t calls_ = 0;
};

}  // namespace quadgate::cluster
