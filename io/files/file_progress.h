#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <utility>

namespace quadgate {

/// How far work on a file is.
struct FileProgress {
  const char* action = "";            ///< "reading", "measuring" or "writing"
  const std::filesystem::path& path;  ///< that is read or written
  std::int64_t done = 0;              ///< bytes
  std::int64_t total = 0;             ///< bytes; 0 if nobody knows
};

/// Is told about once a MiB; what it throws ends the work, with nothing left behind.
using ProgressObserver = std::function<void(const FileProgress&)>;

/// Tells an observer, if there is one, how much of a file's bytes are done.
class WorkMeter {
 public:
  WorkMeter(const ProgressObserver& observer, const char* action, std::filesystem::path path,
            std::int64_t total)
      : observer_(observer), action_(action), path_(std::move(path)), total_(total) {}

  void add(std::size_t bytes) {
    constexpr std::int64_t kStep = std::int64_t{1} << 20;
    done_ += static_cast<std::int64_t>(bytes);
    if (observer_ && done_ >= next_) {
      observer_({action_, path_, done_, total_});
      next_ = done_ + kStep;
    }
  }

 private:
  const ProgressObserver& observer_;
  const char* action_;
  std::filesystem::path path_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace quadgate
