#pragma once

#include <optional>

#include "apps/bench/step_shape.h"

namespace quadgate::apps {

struct BenchArguments {
  StepShape shape;
  double seconds = 5;
  std::optional<int> threads;
  bool pin = true;  ///< each thread to a core of its own
  bool json = false;
};

/// Times training steps, on several ranks below a launcher, or forward passes, and the FMA peak
/// beside them. Returns the exit code.
int bench(const BenchArguments& arguments);

}  // namespace quadgate::apps
