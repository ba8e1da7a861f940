#pragma once

#include <filesystem>
#include <string>

namespace quadgate::apps {

/// Keeps other processes from training into a run folder, for as long as it lives: an exclusive
/// flock on the file `lock` there. The system drops it with the process, however that ends; the
/// empty file stays.
class RunLock {
 public:
  /// `folder` must exist. Throws FileError if another process has the lock, or if the file cannot
  /// be opened for writing.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();

  /// Why nothing is locked, as on file systems without locks; empty if all is well.
  const std::string& warning() const noexcept { return warning_; }

  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_;
  std::string warning_;
};

}  // namespace quadgate::apps
