#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

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

}  // namespace quadgate
