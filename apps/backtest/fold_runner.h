#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace quadgate::apps {

/// The files of a fold.
class FoldFolder {
 public:
  FoldFolder(const std::filesystem::path& folder, std::size_t fold)
      : folder_(folder / ("fold-" + std::to_string(fold))) {}

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path data() const { return folder_ / "data.h5"; }
  std::filesystem::path run_file() const { return folder_ / "fold.toml"; }
  std::filesystem::path log() const { return folder_ / "log.txt"; }
  /// What evaluate tells; once it is there, the fold is complete.
  std::filesystem::path result() const { return folder_ / "test.json"; }

 private:
  std::filesystem::path folder_;
};

/// How folds are run.
struct FoldRuns {
  std::filesystem::path folder;      ///< of all
  std::vector<std::size_t> folds{};  ///< that are not complete, in the order of their start
  int jobs = 1;                      ///< at a time
  int threads = 1;                   ///< of each
  /// Makes data set and run file of a fold, in the folder that it makes. Whether the fold goes on.
  std::function<bool(std::size_t fold)> begin{};
  std::function<void(const std::string& line)> say{};  ///< progress
};

/// Trains and evaluates folds, each in a program of its own. False if a stop was requested: the
/// folds that were running have saved. Throws what the program of a fold said, beginning with the
/// fold's folder; the others are then stopped.
bool run_folds(const FoldRuns& runs);

}  // namespace quadgate::apps
