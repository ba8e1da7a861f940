#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/data/recipe.h"

namespace quadgate {

class CsvNumbers;

/// The values of columns that have one a series. A column of numbers in every series is a feature;
/// of any other column each value is one.
class StaticValues {
 public:
  /// `known` tells what the columns `names` hold, as others of them do; or is empty.
  StaticValues(std::vector<std::string> names, std::vector<StaticColumn> known);

  /// Takes the field of a row; a missing one says nothing. Returns what was expected instead, or
  /// "".
  std::string add(std::size_t series, std::size_t column, std::string_view text,
                  CsvNumbers& numbers);
  std::vector<StaticColumn> columns() const;
  /// The features of a series. Throws FileError, naming file, series and column, if it has no
  /// value, or one that is not among those of `known`.
  std::vector<double> constants(std::size_t series, const std::filesystem::path& path,
                                const std::string& name) const;

 private:
  struct Value {
    std::string text{};  // empty: not known yet
    std::optional<double> number{};
  };

  std::vector<std::string> names_;
  std::vector<StaticColumn> known_;
  std::vector<std::vector<Value>> values_;  // [series][column]
};

}  // namespace quadgate
