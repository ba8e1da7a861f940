#include "io/importers/ts_lines.h"

#include <algorithm>
#include <cctype>

namespace quadgate {

std::string lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

bool TsLines::next(std::string_view& line) {
  while (text_.line(line)) {
    line = trim(line);
    if (!line.empty() && !line.starts_with('#') && !line.starts_with('%')) return true;
  }
  return false;
}

std::pair<std::string, std::string_view> TsLines::tag_of(std::string_view line) const {
  if (!line.starts_with('@')) fail("expected a header line, beginning with '@'");
  std::string tag = lower(take_word(line));
  return {std::move(tag), line};
}

}  // namespace quadgate
