#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "io/files/file_progress.h"

struct gzFile_s;

namespace quadgate {

/// A file, plain or gzipped, read from front to back. Throws FileError.
class Input {
 public:
  explicit Input(std::filesystem::path path, ProgressObserver observer = {});

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Reads at most out.size() bytes, unzipped. Returns how many; 0 only at the end.
  std::size_t read(std::span<char> out);

 private:
  void tell_progress() const;

  struct Close {
    void operator()(gzFile_s* file) const noexcept;
  };

  std::filesystem::path path_;
  ProgressObserver observer_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::int64_t file_size_ = 0;  // 0: not a file with a size, such as a pipe
};

}  // namespace quadgate
