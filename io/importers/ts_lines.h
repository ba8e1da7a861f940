#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "io/importers/text.h"

namespace quadgate {

/// The text in lower case.
std::string lower(std::string_view text);

/// Takes a word, and the blanks and tabs behind it, off the front of `rest`.
std::string_view take_word(std::string_view& rest);

/// The lines of .ts and .tsf files that are neither empty nor comments, which begin with '#' or
/// '%'.
class TsLines {
 public:
  TsLines(const std::filesystem::path& path, const ImportOptions& options) : text_(path, options) {}

  /// The next line, valid until the next call; false at the end. Throws FileError.
  bool next(std::string_view& line);
  /// The tag of a header line "@tag value", in lower case, and its value. Throws FileError.
  std::pair<std::string, std::string_view> tag_of(std::string_view line) const;
  /// See TextReader.
  bool at_pause() { return text_.at_pause(); }
  std::int64_t line_number() const noexcept { return text_.line_number(); }
  /// Throws FileError "a.ts:17: PROBLEM" for the last line.
  [[noreturn]] void fail(const std::string& problem) const { text_.fail(problem); }

 private:
  TextReader text_;
};

}  // namespace quadgate
