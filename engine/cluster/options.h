#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace quadgate::cluster {

/// How a run on several ranks notices that one of them is gone, and ends.
struct Options {
  /// How long a rank may not be heard, whatever it computes, before it counts as dead.
  std::chrono::milliseconds timeout{10'000};
  /// How often a rank is to be heard.
  std::chrono::milliseconds heartbeat{1'000};
  /// How long a failed run may take to end by itself.
  std::chrono::milliseconds grace{2'000};
  std::string host{};  ///< the name of this rank's machine
  /// What to do when a rank is gone or does not answer; the line for the user ends with it.
  std::string advice{};
  /// One rank of a failed run calls it once, with a line for the user: which rank, and what. It
  /// comes from the thread of the messages, and returns.
  std::function<void(std::string_view line)> on_failure{};
  /// Ends the process at once, with exit code 1. A rank of a failed run calls it, from a thread of
  /// its own, if it still runs when the grace is over.
  std::function<void()> end_process{};
};

}  // namespace quadgate::cluster
