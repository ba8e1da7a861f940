#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct BacktestArguments {
  std::filesystem::path run_file;
  std::vector<std::string> overrides;  ///< "KEY=VALUE"
  std::int64_t folds = 5;
  std::optional<std::int64_t> test_size;       ///< rows; this and the next three: of series
  std::optional<std::int64_t> gap;             ///< rows; empty: 0
  std::optional<std::int64_t> max_train_size;  ///< rows; empty: all before the test part
  bool sliding = false;                        ///< as many rows as the first fold has
  std::optional<std::uint64_t> seed;           ///< of sequences, as the next one; empty: 1
  bool no_shuffle = false;                     ///< rows are divided in their order
  std::optional<int> jobs;     ///< folds at a time; empty: as cores and threads tell
  std::optional<int> threads;  ///< of a fold
  bool quiet = false;
  bool json = false;
};

/// Trains a run file's model on each fold of its data, evaluates it on the rest, and makes
/// `results` a table of what evaluate tells, with means and standard deviations. Returns kExitDone
/// or kExitStopped.
int run_backtest(const BacktestArguments& arguments, std::string& results);

/// Prints that.
int backtest(const BacktestArguments& arguments);

}  // namespace quadgate::apps
