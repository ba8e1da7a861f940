#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quadgate {

/// Mean and standard deviation of the columns of x, which standardization takes out.
struct Standardization {
  std::vector<double> mean{};  ///< [columns]; empty: not scaled
  std::vector<double> std{};   ///< [columns]; empty: not scaled

  /// Fills `out` with (x - mean) / std of each column of x [rows, columns], computed in double.
  void apply(std::span<const double> x, std::span<float> out) const;
};

/// Measures mean and population standard deviation of columns, in double. It takes all values
/// twice: first in calls of `add`, then in calls of `add_deviations`.
class ColumnMoments {
 public:
  explicit ColumnMoments(std::int64_t columns) : columns_(static_cast<std::size_t>(columns)) {}

  /// x is [rows, columns], some of the rows. A NaN counts for nothing.
  void add(std::span<const double> x);
  void add_deviations(std::span<const double> x);
  /// A constant column gets its value as mean, and std 1, which one that varies only by rounding,
  /// as of means, has as well; one without values a mean of NaN.
  Standardization standardization() const;

 private:
  struct Column {
    double sum = 0;
    std::int64_t count = 0;  // of values
    double first = 0;        // of them
    bool is_constant = true;
    double mean = 0;        // once there are deviations: about so, as rounded
    double deviations = 0;  // from that, their sum
    double squares = 0;     // and the sum of their squares
  };

  std::vector<Column> columns_;
};

}  // namespace quadgate
