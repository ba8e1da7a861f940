#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "apps/bench/step_shape.h"

namespace quadgate::apps {

struct ScalingArguments {
  StepShape shape;
  std::string threads;  ///< "1,2,4"; of each rank, and empty is what a rank of a run has
  std::optional<std::string> simulate;  ///< "16,64,128": numbers of threads to predict
  std::string ranks;     ///< "1,2,4", the first ones of those that a launcher started; or empty
  bool network = false;  ///< measure what the network takes, and predict
  bool weak =
      false;  ///< batch rows for every thread, or every rank; else the same batch everywhere
  int repeats = 5;
  double seconds = 1;            ///< of steps, for each repeat of each number of threads and ranks
  std::filesystem::path output;  ///< .json or .html
  bool pin = true;               ///< each thread to a core of its own
  bool compare_torch = false;
  std::string python = "python3";  ///< that has torch, to compare with
  std::string command_line;        ///< as typed, for the record
};

/// Times training steps at several numbers of threads, or below a launcher of ranks and threads, in
/// turns, and writes a report. Returns the exit code.
int scaling_run(const ScalingArguments& arguments);

}  // namespace quadgate::apps
