#pragma once

#include <filesystem>
#include <string>

#include "apps/bench/step_shape.h"

namespace quadgate::apps {

struct ScalingArguments {
  StepShape shape;
  std::string threads;  ///< "1,2,4"
  bool weak = false;    ///< batch rows for every thread; else the same batch at every thread count
  int repeats = 5;
  double seconds = 1;            ///< of steps, for each repeat of each thread count
  std::filesystem::path output;  ///< .json or .html
  bool pin = true;               ///< each thread to a core of its own
  bool compare_torch = false;
  std::string python = "python3";  ///< that has torch, to compare with
  std::string command_line;        ///< as typed, for the record
};

/// Times training steps at several thread counts, in turns, and writes a report.
void scaling_run(const ScalingArguments& arguments);

}  // namespace quadgate::apps
