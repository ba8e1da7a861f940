#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/cluster/transport.h"

namespace quadgate::testing {

/// A network between ranks of this process, whose messages lie in mailboxes, with faults to order.
/// Any thread may order them. It must outlive its transports.
class InProcessNetwork {
 public:
  using Clock = std::chrono::steady_clock;

  /// Each message takes `delay`.
  explicit InProcessNetwork(int world_size, Clock::duration delay = {})
      : ranks_(static_cast<std::size_t>(world_size)), delay_(delay) {
    for (Rank& rank : ranks_) rank.from.resize(ranks_.size());
  }

  int world_size() const noexcept { return static_cast<int>(ranks_.size()); }
  std::unique_ptr<cluster::Transport> transport(int rank);

  /// Makes memory for so many messages from each rank to each other, of at most so many bytes, so
  /// that they allocate nothing.
  void reserve(std::size_t messages, std::size_t bytes) {
    for (Rank& rank : ranks_) {
      for (Queue& queue : rank.from) {
        queue.letters.reserve(messages);
        queue.wanted.reserve(messages);
        queue.spare.resize(messages);
        for (auto& spare : queue.spare) spare.reserve(bytes);
      }
      rank.done.reserve(messages * ranks_.size());
    }
  }

  /// From now on nothing comes to the rank or from it: as if it had died, for the others.
  void cut_off(int rank) { of(rank).is_cut_off = true; }
  /// The rank's thread stands still where it looks for messages, until it may go on.
  void stop(int rank) { of(rank).is_stopped = true; }
  void go_on(int rank) { of(rank).is_stopped = false; }
  /// The rank's messages of tag 0 are lost from now on, or no longer.
  void mute(int rank, bool is_mute) { of(rank).is_mute = is_mute; }
  /// The rank's next look for messages throws.
  void break_once(int rank) { of(rank).breaks = true; }
  /// Ranks that have called abort.
  int aborts() const noexcept { return aborts_; }

 private:
  struct Letter {
    int tag;
    Clock::time_point due;
    std::vector<std::byte> bytes;
  };
  struct Wanted {
    int tag;
    int request;
    std::span<std::byte> bytes;
  };
  /// From one rank to another.
  struct Queue {
    std::vector<Letter> letters;
    std::vector<Wanted> wanted;
    std::vector<std::vector<std::byte>> spare;  // memory of letters
  };
  struct Rank {
    std::mutex mutex;
    std::vector<Queue> from;  // guarded by mutex
    std::vector<int> done;    // sends; of the rank's thread
    std::atomic<bool> is_cut_off = false;
    std::atomic<bool> is_stopped = false;
    std::atomic<bool> is_mute = false;
    std::atomic<bool> breaks = false;
  };
  class RankTransport;

  Rank& of(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }

  std::vector<Rank> ranks_;
  Clock::duration delay_;
  std::atomic<int> aborts_ = 0;
};

class InProcessNetwork::RankTransport final : public cluster::Transport {
 public:
  RankTransport(InProcessNetwork& network, int rank)
      : network_(network), mine_(network.of(rank)), rank_(rank) {}

  int rank() const noexcept override { return rank_; }
  int world_size() const noexcept override { return network_.world_size(); }

  void isend(int request, int rank, int tag, std::span<const std::byte> bytes) override {
    mine_.done.push_back(request);
    Rank& other = network_.of(rank);
    if (mine_.is_cut_off || other.is_cut_off || (mine_.is_mute && tag == 0)) return;
    const std::scoped_lock lock(other.mutex);
    Queue& queue = other.from[static_cast<std::size_t>(rank_)];
    Letter letter{tag, Clock::now() + network_.delay_, {}};
    if (!queue.spare.empty()) {
      letter.bytes = std::move(queue.spare.back());
      queue.spare.pop_back();
    }
    letter.bytes.assign(bytes.begin(), bytes.end());
    queue.letters.push_back(std::move(letter));
  }

  void irecv(int request, int rank, int tag, std::span<std::byte> bytes) override {
    const std::scoped_lock lock(mine_.mutex);
    mine_.from[static_cast<std::size_t>(rank)].wanted.push_back({tag, request, bytes});
  }

  void test(std::vector<int>& done) override {
    while (mine_.is_stopped) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (mine_.breaks.exchange(false)) throw cluster::Error("the network broke");
    done.insert(done.end(), mine_.done.begin(), mine_.done.end());
    mine_.done.clear();
    const std::scoped_lock lock(mine_.mutex);
    for (Queue& queue : mine_.from) deliver(queue, done);
  }

  void abort(int) noexcept override { ++network_.aborts_; }

 private:
  /// Those of a tag in order.
  static void deliver(Queue& queue, std::vector<int>& done) {
    if (queue.letters.empty() || queue.wanted.empty()) return;
    const Clock::time_point now = Clock::now();
    std::erase_if(queue.letters, [&](Letter& letter) {
      const auto wanted = std::ranges::find(queue.wanted, letter.tag, &Wanted::tag);
      if (letter.due > now || wanted == queue.wanted.end()) return false;
      if (letter.bytes.size() != wanted->bytes.size()) {
        throw cluster::Error("a message came of " + std::to_string(letter.bytes.size()) +
                             " bytes, where one of " + std::to_string(wanted->bytes.size()) +
                             " was expected");
      }
      std::ranges::copy(letter.bytes, wanted->bytes.begin());
      done.push_back(wanted->request);
      queue.wanted.erase(wanted);
      queue.spare.push_back(std::move(letter.bytes));
      return true;
    });
  }

  InProcessNetwork& network_;
  Rank& mine_;
  int rank_;
};

inline std::unique_ptr<cluster::Transport> InProcessNetwork::transport(int rank) {
  return std::make_unique<RankTransport>(*this, rank);
}

}  // namespace quadgate::testing
