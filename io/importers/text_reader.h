#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace quadgate {

/// How far the reading of a file has come.
struct ReadState {
  const std::filesystem::path& path;
  std::int64_t done = 0;   ///< bytes, packed ones of a gzipped file
  std::int64_t total = 0;  ///< bytes; 0 if that is not known
};

/// Is told now and then how far the reading of a file has come; may throw to end it.
using ReadObserver = std::function<void(const ReadState&)>;

/// The bytes of a file, unzipped if it is gzipped, from its front to its end.
class InputFile {
 public:
  /// Throws FileError.
  explicit InputFile(const std::filesystem::path& path, ReadObserver observer = {});
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Reads up to `size` bytes to `out`; 0 at the end of the file. Throws FileError.
  std::size_t read(char* out, std::size_t size);

 private:
  [[noreturn]] void fail(const std::string& problem) const;

  std::filesystem::path path_;
  ReadObserver observer_;
  void* file_ = nullptr;
  std::int64_t total_ = 0;
};

/// The lines of a text file in UTF-8, plain or gzipped.
class TextReader {
 public:
  /// Lines are read `piece` bytes at a time. Throws FileError.
  explicit TextReader(const std::filesystem::path& path, ReadObserver observer = {},
                      std::size_t piece = std::size_t{1} << 18);

  const std::filesystem::path& path() const noexcept { return file_.path(); }
  /// Whether there is another line, which `line` then is, without its "\n", until the next
  /// call. The mark of byte order at the front of a file goes. Throws FileError ("a.csv:17:
  /// expected UTF-8, found byte 0xff"), also of zero bytes and lines of more than 64 MiB.
  bool line(std::string_view& line);
  /// The last line, from 1.
  std::int64_t line_number() const noexcept { return line_number_; }
  /// Whether the last line had an end.
  bool line_ended() const noexcept { return line_ended_; }

 private:
  bool fill();
  void check(std::string_view line) const;

  InputFile file_;
  std::size_t piece_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not given out yet
  bool at_end_ = false;
  bool line_ended_ = true;
  std::int64_t line_number_ = 0;
};

}  // namespace quadgate
