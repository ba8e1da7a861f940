#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate::apps {

struct TrainArguments {
  std::filesystem::path run_file;
  /// In the place of the file: what is in it; `run_file` is what messages call it.
  std::optional<std::string> run_text{};
  std::vector<std::string> overrides;  ///< "KEY=VALUE"
  std::optional<int> threads;
  bool resume = false;
  bool quiet = false;
  bool json = false;
  /// Gets the line of metrics.jsonl for each epoch, once it is written.
  std::function<void(std::string_view line)> on_epoch{};
};

/// Trains a run file's model. Returns kExitDone or kExitStopped.
int train(const TrainArguments& arguments);

/// The same in this process alone, whatever launcher started it.
int train_alone(const TrainArguments& arguments);

}  // namespace quadgate::apps
