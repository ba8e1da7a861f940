#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace quadgate::apps {

/// Guards a call that may wait for ever, as an MPI's start does when another rank is gone.
class StartDeadline {
 public:
  /// Calls `late` from a thread of its own if this object is still there after `limit`.
  StartDeadline(std::chrono::milliseconds limit, std::function<void()> late);

 private:
  std::jthread thread_;
};

}  // namespace quadgate::apps
