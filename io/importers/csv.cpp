#include "io/importers/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

/// Fills `fields` with those of a line.
void split_fields(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (bool more = true; more;) {
    more = line.find(',') != std::string_view::npos;
    std::string_view field = trim(cut(line, ','));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = field.substr(1, field.size() - 2);
    }
    fields.push_back(field);
  }
}

/// Reads a file line by line into `series_`.
class CsvReader {
 public:
  CsvReader(const std::filesystem::path& path, const ImportOptions& options)
      : reader_(path, options), series_(path, options.spool) {}

  Series read() {
    std::string_view line;
    reader_.line(line);
    split_fields(line, fields_);
    names_.assign(fields_.begin(), fields_.end());
    while (reader_.line(line)) {
      if (line = trim(line); !line.empty()) read_row(line);
    }
    if (series_.x.size() == 0) {
      throw FileError(
          fmt::format("{}: expected a line of column names, then lines of numbers, "
                      "found no numbers",
                      reader_.path().string()));
    }
    for (std::size_t i = first_; i < names_.size(); ++i) add_name(names_[i]);
    return std::move(series_);
  }

 private:
  void read_row(std::string_view line) {
    split_fields(line, fields_);
    if (fields_.size() != names_.size()) {
      reader_.fail(
          fmt::format("expected {} fields, as in line 1, found {}", names_.size(), fields_.size()));
    }
    if (series_.x.size() == 0) first_ = parse_number(fields_[0]) ? 0 : 1;
    row_.clear();
    for (std::size_t i = first_; i < fields_.size(); ++i) {
      const auto number = parse_number(fields_[i]);
      if (!number) {
        reader_.fail(
            fmt::format("column '{}': expected a number, found '{}'", names_[i], fields_[i]));
      }
      row_.push_back(*number);
    }
    if (row_.empty()) reader_.fail("expected a column of numbers beside the time stamp");
    series_.x.append(row_);
  }

  void add_name(const std::string& name) {
    if (name.empty() || std::ranges::count(names_, name) > 1) {
      throw FileError(
          fmt::format("{}:1: expected names that differ from each other, found '{}' twice or empty",
                      reader_.path().string(), name));
    }
    series_.feature_names.push_back(name);
  }

  TextReader reader_;
  Series series_;
  std::vector<std::string> names_;  // of all columns
  std::size_t first_ = 0;           // column, after the time stamp
  std::vector<std::string_view> fields_;
  std::vector<float> row_;
};

}  // namespace

Series read_csv(const std::filesystem::path& path, const ImportOptions& options) {
  return CsvReader(path, options).read();
}

}  // namespace quadgate
