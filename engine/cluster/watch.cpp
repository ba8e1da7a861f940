#include "engine/cluster/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace quadgate::cluster {
namespace {

void copy_text(std::string_view from, std::span<char> text) {
  std::ranges::fill(text, '\0');
  std::ranges::copy(from.substr(0, text.size() - 1), text.begin());
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Watch::Watch(Messenger& messenger, const Options& options)
    : messenger_(messenger),
      rank_(messenger.rank()),
      timeout_(options.timeout),
      heartbeat_(options.heartbeat),
      grace_(options.grace),
      advice_(options.advice),
      hosts_(static_cast<std::size_t>(messenger.world_size())),
      peers_(hosts_.size()),
      beaten_(-heartbeat_) {
  hosts_[static_cast<std::size_t>(rank_)] = options.host;
  for (int other = 0; other < world_size(); ++other) {
    if (other == rank_ || (rank_ != 0 && other != 0)) continue;
    peer(other).is_watched = true;
    listen(other);
  }
}

std::string Watch::name(int rank) const {
  const std::string& host = hosts_[static_cast<std::size_t>(rank)];
  return host.empty() ? fmt::format("rank {}", rank) : fmt::format("rank {} ({})", rank, host);
}

void Watch::listen(int rank) {
  messenger_.receive(rank, MessageKind::control, 0,
                     std::as_writable_bytes(std::span(&peer(rank).notice, 1)),
                     peer(rank).receiving);
}

void Watch::say(int rank, const Notice& notice, int& pending) {
  messenger_.send(rank, MessageKind::control, 0, std::as_bytes(std::span(&notice, 1)), pending);
}

std::optional<Watch::End> Watch::advance(Time elapsed) {
  // A process that stood still, perhaps with all others, has not listened meanwhile.
  now_ += std::min(elapsed, heartbeat_);
  if (std::optional<End> end = hear_all()) return end;
  look_around();
  find_early_leaver();
  if (leaves_ && may_say_goodbye()) {
    beat(Kind::goodbye);
  } else if (now_ - beaten_ >= heartbeat_) {
    beaten_ = now_;
    beat(Kind::heartbeat);
  }
  if (failed_since_ && rank_ != 0 && !std::exchange(failure_is_said_, true)) {
    say(0, failure_, telling_);
  }
  if (failed_since_ && (rank_ == 0 || now_ - *failed_since_ > grace_)) {
    return End{failure_.text.data(), false};
  }
  if (asked_since_) return find_reporter();
  for (int other = 0; other < world_size(); ++other) {
    if (!is_silent(other)) continue;
    // Whoever shares its machine was last heard about the same time.
    const Time about = timeout_ - 2 * heartbeat_;
    if (rank_ == 0) {
      const bool are_gone = is_gone(other);
      return silence(are_gone, [&](int rank) {
        return peer(rank).is_watched &&
               (are_gone ? is_gone(rank) : now_ - peer(rank).heard > about);
      });
    }
    ask_who_lives();
  }
  return std::nullopt;
}

/// Takes note of what has come. That a failure is reported may come behind the failure.
std::optional<Watch::End> Watch::hear_all() {
  bool has_come = false;
  for (int rank = 0; rank < world_size(); ++rank) {
    Peer& other = peer(rank);
    // Its notices may wait behind large messages, of which each piece tells that it lives.
    if (messenger_.take_heard(rank)) other.heard = now_;
    const bool listens = other.is_watched || (asked_since_ && rank != rank_);
    if (!listens || other.receiving > 0) continue;
    has_come = true;
    const Notice notice = other.notice;
    if (notice.kind == Kind::goodbye) {
      other.is_watched = false;
    } else {
      listen(rank);
    }
    const std::optional<End> end = hear(rank, notice);
    if (end && (!heard_end_ || end->is_reported)) heard_end_ = end;
  }
  return has_come && heard_end_ && !heard_end_->is_reported ? std::nullopt : heard_end_;
}

std::optional<Watch::End> Watch::hear(int rank, const Notice& notice) {
  if (notice.kind == Kind::over) return End{notice.text.data(), true};
  if (notice.kind == Kind::failed) return End{notice.text.data(), false};
  if (notice.kind == Kind::alive) peer(rank).is_alive = true;
  if (notice.leaves != 0) peer(rank).left_after = notice.calls;
  return std::nullopt;
}

/// Whoever is through takes no part in this rank's call, which would wait for ever.
void Watch::find_early_leaver() {
  for (int rank = 0; rank < world_size(); ++rank) {
    if (peer(rank).left_after.value_or(calls_) >= calls_) continue;
    fail(fmt::format("{} has left the run before this one", name(rank)));
  }
}

/// Says to those who listen that all is well, or as the last notice that this rank is through.
void Watch::beat(Kind kind) {
  for (int rank = 0; rank < world_size(); ++rank) {
    Peer& other = peer(rank);
    const bool listens = rank != rank_ && (rank_ == 0 || rank == 0);
    if (!listens || other.sending > 0 || other.has_goodbye) continue;
    other.beat.kind = kind;
    other.beat.leaves = leaves_ ? 1 : 0;
    other.beat.calls = calls_;
    other.has_goodbye = kind == Kind::goodbye;
    say(rank, other.beat, other.sending);
  }
}

/// Rank 0 stays until all the others have said it.
bool Watch::may_say_goodbye() const noexcept {
  return rank_ != 0 || std::ranges::none_of(peers_, &Peer::is_watched);
}

bool Watch::all_left() const noexcept {
  return leaves_ && std::ranges::none_of(peers_, [&](const Peer& other) {
           const bool listens = &other != &peer(rank_) && (rank_ == 0 || &other == peers_.data());
           return other.is_watched || other.sending > 0 || (listens && !other.has_goodbye);
         });
}

void Watch::fail(std::string_view text) {
  if (failed_since_) return;
  failed_since_ = now_;
  copy_text(fmt::format("{}: {}", name(rank_), text), failure_.text);
}

void Watch::tell_end(std::string_view text) {
  copy_text(text, end_.text);
  for (int other = 0; other < world_size(); ++other) {
    if (other != rank_) say(other, end_, telling_);
  }
}

/// Asks the system which ranks' processes are no more, of those on this machine.
void Watch::look_around() {
  constexpr Time kOften = std::chrono::milliseconds(10);
  if (!neighbours_ || now_ - looked_ < kOften) return;
  looked_ = now_;
  neighbours_->look();
  for (int rank = 0; rank < world_size(); ++rank) {
    if (neighbours_->is_gone(rank) && !peer(rank).gone_since) peer(rank).gone_since = now_;
  }
}

/// For so long that what it said last has come.
bool Watch::is_gone(int rank) const noexcept {
  constexpr Time kLastWords = std::chrono::milliseconds(50);
  return peer(rank).gone_since && now_ - *peer(rank).gone_since > kLastWords;
}

bool Watch::is_silent(int rank) const noexcept {
  return peer(rank).is_watched && (is_gone(rank) || now_ - peer(rank).heard > timeout_);
}

void Watch::ask_who_lives() {
  static constexpr Notice kAlive{.kind = Kind::alive};
  asked_since_ = now_;
  for (int other = 1; other < world_size(); ++other) {
    if (other == rank_) continue;
    listen(other);
    say(other, kAlive, telling_);
  }
}

std::optional<Watch::End> Watch::find_reporter() const {
  // All notice the silence of rank 0 within a heartbeat.
  const Time asked = now_ - *asked_since_;
  const bool zero_is_gone = is_gone(0);
  if (zero_is_gone && neighbours_->are_all()) {
    // On one machine all know who is left, and the launcher may not leave them much time.
    int first = 1;
    while (first != rank_ && neighbours_->is_gone(first)) ++first;
    if (first == rank_) return silence(true, [&](int rank) { return is_gone(rank); });
  }
  if (asked <= 2 * heartbeat_) return std::nullopt;
  const auto lowest = std::ranges::find_if(peers_, &Peer::is_alive) - peers_.begin();
  const auto alive = 1 + std::ranges::count_if(peers_, &Peer::is_alive);
  if (2 * alive < world_size()) return End{"this rank is cut off from the others", true};
  if (lowest > rank_) {
    return silence(zero_is_gone, [&](int rank) { return rank != rank_ && !peer(rank).is_alive; });
  }
  if (asked <= 4 * heartbeat_) return std::nullopt;
  return End{fmt::format("{} is silent", name(0)), true};
}

/// That some ranks are gone, or do not answer.
Watch::End Watch::silence(bool are_gone, const std::function<bool(int rank)>& is_meant) const {
  std::string names;
  int count = 0;
  for (int rank = 0; rank < world_size(); ++rank) {
    if (!is_meant(rank)) continue;
    names += fmt::format("{}{}", count++ == 0 ? "" : ", ", name(rank));
  }
  const std::string what = are_gone ? std::string(count == 1 ? "is gone" : "are gone")
                                    : fmt::format("{} not answered for {:g} s",
                                                  count == 1 ? "has" : "have", seconds(timeout_));
  return {fmt::format("{} {}{}", names, what, advice_), false};
}

}  // namespace quadgate::cluster
