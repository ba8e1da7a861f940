#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/data/data_description.h"

namespace quadgate {

/// Shows the features of a file in the order and the scale that a model knows them in.
class FeatureView {
 public:
  /// As the file has them.
  FeatureView() = default;
  /// Feature i is column `columns[i]` of a file, which `file` describes; `columns` is a
  /// permutation. Scales of series, if either has them, are of the file's series, in its order.
  FeatureView(std::span<const std::size_t> columns, const DataDescription& file,
              const DataDescription& model);

  bool changes_scale() const;
  /// What of the features the digits of float32, which a file has in its own scale, tell too little
  /// of in the model's: one is off by `error` of the model's std.
  struct LostDigits {
    std::size_t series = 0;
    std::size_t feature = 0;  ///< as the model counts
    double error = 0;
  };
  std::optional<LostDigits> lost_digits() const;
  /// Changes x [rows, I] of a series in place, computed in double.
  void apply(std::span<float> x, std::size_t series = 0);

 private:
  struct Scale {
    double mean = 0;
    double std = 1;

    bool operator==(const Scale&) const = default;
  };
  struct Feature {
    std::size_t column = 0;
    Scale from;
    Scale to;
  };
  static Scale scale_of(const DataDescription& data, std::size_t series, std::size_t column);

  std::vector<Feature> features_;  // [series, I], or of all series [I]; none: as the file has them
  std::vector<float> row_;
};

/// For each name that a model knows, the column of a file that has it.
struct MatchedNames {
  std::vector<std::size_t> columns{};
  std::string problem{};  ///< why there are none: "expected 'a', found none of that name but 'b'"
  std::string note{};     ///< what was assumed or changed, to say after the file's name
};

/// By name, in any order. Names that are but numbers from 0 stand for none: the order counts then.
MatchedNames match_names(const std::vector<std::string>& model,
                         const std::vector<std::string>& file);

/// Whether the names are "0", "1", ..., as where there are none.
bool is_numbered(const std::vector<std::string>& names);

/// "3 (a, b, c)", at most five of them.
std::string names_text(const std::vector<std::string>& names);

}  // namespace quadgate
