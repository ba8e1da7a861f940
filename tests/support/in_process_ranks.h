#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/cluster/communicator.h"
#include "engine/cluster/error.h"
#include "tests/support/in_process_transport.h"

namespace quadgate::testing {

/// The ranks of a run, each a thread of this process on a machine of its own, n0, n1, ...
class InProcessRanks {
 public:
  using Body = std::function<void(cluster::Communicator&)>;

  explicit InProcessRanks(int world_size, cluster::Options options = {},
                          InProcessNetwork::Clock::duration delay = {})
      : network_(world_size, delay), options_(std::move(options)) {}

  InProcessNetwork& network() noexcept { return network_; }

  /// Runs body(communicator) on every rank, to its end or failure.
  void run(const Body& body) {
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(network_.world_size()));
    for (int rank = 0; rank < network_.world_size(); ++rank) {
      threads.emplace_back([&, rank] { run(rank, body); });
    }
  }

  /// What the user was told, by ranks whose lines reach the user, and by which.
  const std::vector<std::string>& lines() const noexcept { return lines_; }
  const std::set<int>& reporters() const noexcept { return reporters_; }
  /// Ranks whose body ended with a Failure.
  const std::set<int>& failed() const noexcept { return failed_; }
  /// Ranks whose process was ended from outside.
  const std::set<int>& ended() const noexcept { return ended_; }

  /// No line of this rank reaches the user: its process is taken to be dead.
  void ignore_lines_of(int rank) { ignored_.insert(rank); }

 private:
  void run(int rank, const Body& body) {
    cluster::Options options = options_;
    options.host = "n" + std::to_string(rank);
    options.on_failure = [this, rank](std::string_view line) {
      const std::scoped_lock lock(mutex_);
      if (ignored_.contains(rank)) return;
      lines_.emplace_back(line);
      reporters_.insert(rank);
    };
    options.end_process = [this, rank] {
      const std::scoped_lock lock(mutex_);
      ended_.insert(rank);
    };
    try {
      cluster::Communicator communicator([&] { return network_.transport(rank); }, options);
      body(communicator);
    } catch (const cluster::Failure&) {
      const std::scoped_lock lock(mutex_);
      failed_.insert(rank);
    }
  }

  InProcessNetwork network_;
  cluster::Options options_;
  std::set<int> ignored_;
  std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_ while the ranks run, as those below
  std::set<int> reporters_;
  std::set<int> failed_;
  std::set<int> ended_;
};

}  // namespace quadgate::testing
