#pragma once

#include <chrono>

#include "engine/base/phase_times.h"

namespace quadgate {

/// Adds the seconds that it lives to a phase.
class Stopwatch {
 public:
  Stopwatch(PhaseTimes& times, Phase phase) noexcept
      : time_(times[phase]), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    time_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& time_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace quadgate
