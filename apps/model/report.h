#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace quadgate::apps {

/// A number to tell, or none where it has no meaning.
using ReportNumber = std::variant<std::monostate, std::int64_t, double>;

inline ReportNumber number_of(const std::optional<double>& value) {
  return value ? ReportNumber(*value) : ReportNumber();
}

/// Numbers of several things of a kind: of classes, steps, ...
struct ReportTable {
  struct Row {
    std::vector<std::string> names{};  ///< one for each of `of`
    std::vector<ReportNumber> numbers{};
  };

  std::string key{};                   ///< in JSON: "classes"
  std::string by{};                    ///< what --by asks for it with: "class"; or nothing
  std::vector<std::string> of{};       ///< what a row is of: {"class"}
  std::vector<std::string> columns{};  ///< {"precision", ...}; {""}: a row is but a number
  std::vector<Row> rows{};
  std::string title{};    ///< a line above it in text
  bool is_shown = false;  ///< in text; in JSON all are
};

/// What `evaluate` tells of a model on a split.
struct Report {
  /// What is evaluated: "split" or "input", and its name.
  std::pair<std::string, std::string> source{};
  std::vector<std::pair<std::string, ReportNumber>> numbers{};
  std::vector<ReportTable> tables{};
  std::vector<std::string> notes{};  ///< lines for stderr
};

/// A JSON object on a line. Of a table it has an object a row, under its names, with the columns as
/// keys. What has no meaning is null.
std::string to_json(const Report& report);
/// A line a number, then the tables that are to be shown.
std::string to_text(const Report& report);

}  // namespace quadgate::apps
