#include "io/importers/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "engine/base/error.h"
#include "io/importers/utf8.h"

namespace quadgate {
namespace {

// Of an input that never has to be waited for, in which what it gives would otherwise never come.
constexpr std::size_t kMostBetweenPauses = std::size_t{1} << 22;
constexpr std::string_view kParquet = "PAR1\x15";  // its magic, and what each file has behind it

/// Whether the end of a line may be the beginning of a longer one.
bool may_go_on(std::string_view end) { return end == "\r" || end == "\r\r"; }

}  // namespace

TextReader::TextReader(const std::filesystem::path& path, const ImportOptions& options,
                       std::size_t max_line)
    : input_(path, options.observer),
      in_pieces_(options.in_pieces),
      max_line_(max_line),
      buffer_(std::max(options.buffer_size, kParquet.size())) {  // a character is up to 4 bytes
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (rest().size() < kParquet.size() && fill()) continue;
  if (rest().starts_with(kParquet)) {
    throw FileError(fmt::format(
        "{}: expected text, found Parquet (pandas.read_parquet(\"{}\").to_csv(\"table.csv\", "
        "index=False) makes a table of it)",
        input_.path().string(), input_.path().string()));
  }
  if (rest().starts_with(kByteOrderMark)) begin_ += kByteOrderMark.size();
}

/// Reads more behind what is there; false at the end.
bool TextReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const std::size_t got = input_.read(std::span(buffer_).subspan(end_));
  end_ += got;
  since_pause_ += got;
  return got > 0;
}

bool TextReader::line(std::string_view& line) {
  std::size_t size = find_line_end(0);
  while (size == rest().size() && size <= max_line_) {
    if (!fill()) {
      if (size == 0) return false;
      break;
    }
    size = find_line_end(size);
  }
  ++line_;
  if (size > max_line_) {
    fail(fmt::format("expected a line of at most {} bytes, found a longer one", max_line_));
  }
  const std::size_t end = skip_line_end(size);  // may move what is read
  line = rest().substr(0, size);
  begin_ += end;
  expect_utf8(line, line_);
  return true;
}

/// Where the first "\r" or "\n" from `first` on stands, or rest().size().
std::size_t TextReader::find_line_end(std::size_t first) const {
  const std::string_view text = rest();
  const auto* const found = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(first),
                                         text.end(), [](char c) { return c == '\n' || c == '\r'; });
  return static_cast<std::size_t>(found - text.begin());
}

/// Behind the end of the line that is `at` bytes long.
std::size_t TextReader::skip_line_end(std::size_t at) {
  while (may_go_on(rest().substr(at)) && fill()) continue;
  const std::string_view text = rest().substr(at);
  for (const std::string_view end : {"\n", "\r\n", "\r\r\n", "\r"}) {
    if (text.starts_with(end)) return at + end.size();
  }
  return at;
}

bool TextReader::at_pause() {
  if (!in_pieces_ || (since_pause_ < kMostBetweenPauses && !waits_for_line())) return false;
  since_pause_ = 0;
  return true;
}

/// Reads what has come, until a line of it is whole.
bool TextReader::waits_for_line() {
  for (std::size_t size = find_line_end(0); size <= max_line_; size = find_line_end(size)) {
    const std::string_view end = rest().substr(size);
    if (!end.empty() && !may_go_on(end)) return false;
    if (!input_.is_ready()) return true;
    if (!fill()) return false;
  }
  return false;
}

bool TextReader::piece(std::string_view& piece) {
  line_ = std::max<std::int64_t>(line_, 1);
  std::size_t size = utf8_whole(rest());
  while (size == 0) {
    if (!fill()) {
      size = rest().size();  // the beginning of a character, if anything
      break;
    }
    size = utf8_whole(rest());
  }
  piece = rest().substr(0, size);
  begin_ += size;
  expect_utf8(piece, line_);
  line_ += std::count(piece.begin(), piece.end(), '\n');
  return size > 0;
}

void TextReader::expect_utf8(std::string_view text, std::int64_t first_line) const {
  const std::size_t at = find_not_utf8(text);
  if (at == std::string_view::npos) return;
  throw FileError(fmt::format("{}:{}: expected UTF-8, found byte {:#04x}", path().string(),
                              first_line + std::ranges::count(text.substr(0, at), '\n'),
                              static_cast<unsigned char>(text[at])));
}

void TextReader::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}:{}: {}", path().string(), line_, problem));
}

std::string_view trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(static_cast<float>(value))) return {};
  return value;
}

}  // namespace quadgate
