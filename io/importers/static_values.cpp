#include "io/importers/static_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_columns.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_numbers.h"

namespace quadgate {

StaticValues::StaticValues(std::vector<std::string> names, std::vector<StaticColumn> known)
    : names_(std::move(names)), known_(std::move(known)) {}

std::string StaticValues::add(std::size_t series, std::size_t column, std::string_view text,
                              CsvNumbers& numbers) {
  if (series >= values_.size()) values_.resize(series + 1, std::vector<Value>(names_.size()));
  Value& value = values_[series][column];
  if (is_missing(text) || text == value.text) return {};
  const auto number = numbers.parse(text);
  if (value.text.empty()) {
    value = {std::string(text), number};
    return {};
  }
  return number && number == value.number ? ""
                                          : fmt::format("'{}', as in a row before", value.text);
}

std::vector<StaticColumn> StaticValues::columns() const {
  if (!known_.empty()) return known_;
  std::vector<StaticColumn> columns;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    std::set<std::string> classes;
    bool are_numbers = true;
    for (const auto& values : values_) {
      if (values[i].text.empty()) continue;
      classes.insert(values[i].text);
      are_numbers = are_numbers && values[i].number;
    }
    if (are_numbers) classes.clear();
    columns.push_back({names_[i], {classes.begin(), classes.end()}});
  }
  return columns;
}

std::vector<double> StaticValues::constants(std::size_t series, const std::filesystem::path& path,
                                            const std::string& name) const {
  std::vector<double> constants;
  const std::vector<StaticColumn> columns = this->columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Value& value = values_.at(series)[i];
    const auto& classes = columns[i].classes;
    const bool fits = classes.empty() ? value.number.has_value()
                                      : std::ranges::find(classes, value.text) != classes.end();
    if (value.text.empty() || !fits) {
      throw FileError(
          fmt::format("{}: {}column '{}': expected {}, found {}", path.string(),
                      name.empty() ? "" : fmt::format("series '{}': ", name), columns[i].name,
                      !known_.empty() && !classes.empty()
                          ? fmt::format("one of {}, as the data have it that it shall be like",
                                        join_names(classes, 8))
                          : "a value",
                      value.text.empty() ? "none" : fmt::format("'{}'", value.text)));
    }
    if (classes.empty()) constants.push_back(*value.number);
    for (const std::string& each : classes) constants.push_back(each == value.text ? 1 : 0);
  }
  return constants;
}

}  // namespace quadgate
