#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/files/file_progress.h"

struct z_stream_s;

namespace quadgate {

/// A file, plain or gzipped, read from front to back. Throws FileError.
class Input {
 public:
  explicit Input(std::filesystem::path path, ProgressObserver observer = {});
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Reads at most out.size() bytes, unzipped, of a pipe those that have come: it waits only for
  /// the first. Returns how many; 0 only at the end.
  std::size_t read(std::span<char> out);
  /// Whether `read` would not wait.
  bool is_ready() const;

 private:
  struct Unzip {
    void operator()(z_stream_s* stream) const noexcept;
  };

  [[noreturn]] void fail(const std::string& problem) const;
  void begin();
  std::size_t read_file(std::span<char> out);
  bool fill(std::size_t size);
  std::size_t take(std::span<char> out);
  std::size_t unzip(std::span<char> out);
  bool begin_member();
  void tell_progress() const;

  std::filesystem::path path_;
  ProgressObserver observer_;
  int descriptor_ = -1;
  std::int64_t file_size_ = 0;  // 0: not a file with a size, such as a pipe
  std::int64_t done_ = 0;       // bytes of the file
  bool is_begun_ = false;
  bool is_member_open_ = false;                  // a part of a gzip file, which may have several
  std::unique_ptr<z_stream_s, Unzip> unzipper_;  // of a gzip file
  std::vector<char> buffer_;                     // bytes of the file: zipped, or the very first
  std::size_t first_ = 0;                        // of those that are left in it
};

}  // namespace quadgate
