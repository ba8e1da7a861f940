#include "io/importers/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (bool more = true; more;) {
    more = line.find(',') != std::string_view::npos;
    std::string_view field = trim(cut(line, ','));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = field.substr(1, field.size() - 2);
    }
    fields.push_back(field);
  }
  return fields;
}

}  // namespace

Series read_csv(const std::filesystem::path& path) {
  const std::string content = read_input(path);
  std::string_view rest = content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // a byte order mark
  const std::vector<std::string_view> names = split_fields(cut(rest, '\n'));
  const auto fail = [&](std::int64_t line, const std::string& problem) {
    throw FileError(fmt::format("{}:{}: {}", path.string(), line, problem));
  };

  Series series;
  series.path = path;
  std::size_t first = 0;  // column, after the time stamp
  for (std::int64_t line = 2; !rest.empty(); ++line) {
    const std::string_view text = trim(cut(rest, '\n'));
    if (text.empty()) continue;
    const std::vector<std::string_view> fields = split_fields(text);
    if (fields.size() != names.size()) {
      fail(line,
           fmt::format("expected {} fields, as in line 1, found {}", names.size(), fields.size()));
    }
    if (series.x.empty()) first = parse_number(fields[0]) ? 0 : 1;
    for (std::size_t i = first; i < fields.size(); ++i) {
      const auto number = parse_number(fields[i]);
      if (!number) {
        fail(line, fmt::format("column '{}': expected a number, found '{}'", names[i], fields[i]));
      }
      series.x.push_back(*number);
    }
    if (series.x.empty()) fail(line, "expected a column of numbers beside the time stamp");
  }
  if (series.x.empty()) {
    throw FileError(
        fmt::format("{}: expected a line of column names, then lines of numbers, "
                    "found no numbers",
                    path.string()));
  }
  for (std::size_t i = first; i < names.size(); ++i) {
    if (names[i].empty() || std::ranges::count(names, names[i]) > 1) {
      fail(1, fmt::format("expected names that differ from each other, found '{}' twice or empty",
                          names[i]));
    }
    series.feature_names.emplace_back(names[i]);
  }
  return series;
}

}  // namespace quadgate
