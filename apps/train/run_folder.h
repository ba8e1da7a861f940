#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace quadgate::apps {

/// The files of a training run, under their names in its folder.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path run_file() const { return folder_ / "run.toml"; }
  std::filesystem::path checkpoint() const { return folder_ / "checkpoint.h5"; }
  std::filesystem::path best() const { return folder_ / "best.h5"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }

  /// Throws FileError, naming the file found, if a run has left something here.
  void expect_no_run() const;
  /// Throws FileError unless a run has left a checkpoint, the one before it, or, stopped before the
  /// first of them, run.toml here.
  void expect_run() const;
  /// Whether there is a checkpoint or the one before it.
  bool has_checkpoint() const;

  const std::filesystem::path& path() const { return folder_; }
  /// Makes the folder and those above it. Throws FileError.
  void create() const;
  /// Writes run.toml. Throws FileError.
  void write_run_file(std::string_view text) const;

  /// Appends a line to metrics.jsonl. Throws FileError.
  void append_metrics(std::string_view line) const;
  /// Leaves the lines of the epochs before `epoch` in metrics.jsonl, and makes `last`, unless
  /// empty, the line after them. Throws FileError.
  void rewind_metrics(std::int64_t epoch, std::string_view last) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace quadgate::apps
