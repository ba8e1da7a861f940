#include "apps/train/toml_depth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

constexpr int kDeepest = 64;

/// Where the string that `text` begins with ends.
std::size_t string_length(std::string_view text) {
  const bool is_long = text.starts_with(R"(""")") || text.starts_with("'''");
  const std::string_view quote = text.substr(0, is_long ? 3 : 1);
  for (std::size_t at = quote.size(); at < text.size(); ++at) {
    if (!is_long && text[at] == '\n') return at;  // no TOML, but the next line may be
    if (text.substr(at).starts_with(quote)) {
      at += quote.size();
      // Up to two more quotes at the end of a long string are of it.
      for (int more = 0; is_long && more < 2 && text.substr(at, 1) == quote.substr(0, 1); ++more)
        ++at;
      return at;
    }
    if (text[at] == '\\' && quote.front() == '"') ++at;
  }
  return text.size();
}

/// How many characters at the front of `text` belong together.
std::size_t token_length(std::string_view text) {
  if (text.front() == '#') return std::min(text.find('\n'), text.size());
  return text.front() == '"' || text.front() == '\'' ? string_length(text) : 1;
}

}  // namespace

void expect_shallow_toml(std::string_view text, std::string_view name) {
  constexpr std::string_view kEndsKey = "\n=,[]{}";
  int brackets = 0;
  int dots = 0;
  for (std::size_t at = 0; at < text.size(); at += token_length(text.substr(at))) {
    const char c = text[at];
    if (c == '[' || c == '{') ++brackets;
    if (c == ']' || c == '}') brackets = std::max(brackets - 1, 0);
    if (c == '.') ++dots;
    if (kEndsKey.find(c) != std::string_view::npos) dots = 0;
    if (brackets > kDeepest || dots > kDeepest) {
      const auto line =
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      throw InvalidArgument(
          fmt::format("{}:{}: expected at most {} levels of tables, arrays or dots, found more",
                      name, line + 1, kDeepest));
    }
  }
}

}  // namespace quadgate::apps
