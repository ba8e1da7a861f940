#include "io/importers/conllu_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

#include "engine/base/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < 0) return {};
  return value;
}

/// "1-2" of a multiword token or "1.1" of an empty node.
bool is_extra(std::string_view id) {
  const std::size_t middle = id.find_first_of("-.");
  return middle != std::string_view::npos && parse_integer(id.substr(0, middle)) &&
         parse_integer(id.substr(middle + 1));
}

}  // namespace

std::optional<ConlluColumns> ConlluWords::read(std::string_view line) {
  if (line.empty()) last_id_ = 0;
  if (line.empty() || line.starts_with('#')) return {};
  ConlluColumns columns;
  const auto found = static_cast<std::size_t>(std::count(line.begin(), line.end(), '\t') + 1);
  if (found != columns.size()) {
    throw InvalidArgument(
        fmt::format("expected {} columns with tabs between, found {}", columns.size(), found));
  }
  for (std::string_view& column : columns) column = cut(line, '\t');
  if (is_extra(columns[0])) return {};
  if (parse_integer(columns[0]) != last_id_ + 1) {
    throw InvalidArgument(fmt::format("ID: expected {}, found '{}'", last_id_ + 1, columns[0]));
  }
  ++last_id_;
  if (columns[1].empty()) throw InvalidArgument("FORM: expected a word, found nothing");
  return columns;
}

}  // namespace quadgate
