#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct TrainArguments {
  std::filesystem::path run_file;
  std::vector<std::string> overrides;  ///< "KEY=VALUE"
  std::optional<int> threads;
  bool resume = false;
  bool quiet = false;
  bool json = false;
};

/// Trains a run file's model. Returns kExitDone or kExitStopped.
int train(const TrainArguments& arguments);

}  // namespace quadgate::apps
