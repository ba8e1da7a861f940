#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/import_options.h"
#include "io/importers/input.h"

namespace quadgate {

/// A text file in UTF-8, plain or gzipped, read from front to back, by lines or by pieces. It drops
/// a byte order mark at the front. Throws FileError ("a.txt:17: expected UTF-8, found byte 0xff"),
/// also for zero bytes.
class TextReader {
 public:
  /// No line may be longer.
  static constexpr std::size_t kMaxLine = std::size_t{1} << 26;

  TextReader(const std::filesystem::path& path, const ImportOptions& options,
             std::size_t max_line = kMaxLine);

  const std::filesystem::path& path() const noexcept { return input_.path(); }
  /// The next line, without its end ("\n", "\r\n", "\r\r\n" or "\r" alone), valid until the next
  /// call; false at the end.
  bool line(std::string_view& line);
  /// The next piece of the text, of whole characters, valid until the next call; false at the end.
  bool piece(std::string_view& piece);
  /// Of an input that is read in pieces: whether a line that follows must be waited for, or a lot
  /// was read since this was so. What was read may then be handed on; lines are no longer valid.
  bool at_pause();
  /// The number of the last line that was read, from 1.
  std::int64_t line_number() const noexcept { return line_; }
  /// Throws FileError "a.txt:17: PROBLEM" for the last line that was read.
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  std::string_view rest() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }
  bool fill();
  bool waits_for_line();
  std::size_t find_line_end(std::size_t first) const;
  std::size_t skip_line_end(std::size_t at);
  void expect_utf8(std::string_view text, std::int64_t first_line) const;

  Input input_;
  bool in_pieces_;
  std::size_t max_line_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of the bytes that were read, but not given
  std::size_t end_ = 0;
  std::int64_t line_ = 0;
  std::size_t since_pause_ = 0;  // bytes that were read
};

/// Drops blanks, tabs and carriage returns at both ends.
std::string_view trim(std::string_view text);

/// Cuts the part before `separator`, or all, off the front of `rest`, and drops the separator.
std::string_view cut(std::string_view& rest, char separator);

/// The number that the text writes in decimal, or empty: also where float32 has no room for it.
std::optional<double> parse_number(std::string_view text);

}  // namespace quadgate
