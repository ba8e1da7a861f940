#include "io/importers/tsf.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/missing_values.h"
#include "io/importers/text.h"
#include "io/importers/ts_lines.h"

namespace quadgate {
namespace {

/// Reads a .tsf file line by line into `series_`.
class TsfReader {
 public:
  TsfReader(const std::filesystem::path& path, MissingPolicy missing, const ImportOptions& options)
      : lines_(path, options), missing_(missing), series_(path, options.spool) {
    series_.feature_names = {"value"};
  }

  Series read() {
    bool in_data = false;
    for (std::string_view line; !in_data && lines_.next(line);) in_data = read_header(line);
    for (std::string_view line; lines_.next(line);) read_series(line);
    if (series_.parts.empty()) {
      throw FileError(series_.path.string() + ": expected series after a line @data, found none");
    }
    return std::move(series_);
  }

 private:
  // True if this is the line @data.
  bool read_header(std::string_view line) {
    auto [tag, value] = lines_.tag_of(line);
    if (tag == "@attribute") {
      const std::string_view name = take_word(value);
      const std::string type = lower(value);
      if (name.empty() || (type != "string" && type != "date" && type != "numeric")) {
        lines_.fail("@attribute: expected a name and a type, string, date or numeric");
      }
      is_text_.push_back(type == "string");
    }
    return tag == "@data";
  }

  void read_series(std::string_view line) {
    std::string name;
    for (const bool is_text : is_text_) {
      if (line.find(':') == std::string_view::npos) {
        lines_.fail(
            fmt::format("expected {} attributes with ':' behind each, as the header has them",
                        is_text_.size()));
      }
      const std::string_view attribute = trim(cut(line, ':'));
      if (is_text) name.append(name.empty() ? "" : "/").append(attribute);
    }
    if (line.find(':') != std::string_view::npos) {
      lines_.fail(
          fmt::format("expected values behind {} attributes, found another ':'", is_text_.size()));
    }
    if (name.empty()) name = std::to_string(series_.parts.size());
    if (!names_.insert(name).second) {
      lines_.fail(
          fmt::format("expected names that differ from each other, found '{}' twice", name));
    }
    std::int64_t rows = 0;
    for (bool goes_on = true; goes_on; ++rows) {
      goes_on = line.find(',') != std::string_view::npos;
      add_value(trim(cut(line, ',')));
    }
    series_.parts.push_back({.name = std::move(name), .rows = {rows, 0, 0}});
  }

  void add_value(std::string_view field) {
    const auto number = parse_number(field);
    if (!number && (!is_missing(field) || missing_ == MissingPolicy::error)) {
      lines_.fail(
          fmt::format("expected a number, found '{}'{}", field,
                      is_missing(field) ? " (--missing drops or fills what is missing)" : ""));
    }
    const std::array value{number.value_or(std::numeric_limits<double>::quiet_NaN())};
    series_.x.append(value);
  }

  TsLines lines_;
  MissingPolicy missing_;
  std::vector<bool> is_text_;  // by attribute
  std::unordered_set<std::string> names_;
  Series series_;
};

}  // namespace

Series read_tsf(const std::filesystem::path& path, MissingPolicy missing,
                const ImportOptions& options) {
  return fill_missing(TsfReader(path, missing, options).read(), missing, options.spool);
}

}  // namespace quadgate
