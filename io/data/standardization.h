#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quadgate {

/// Mean and standard deviation of the columns of x, which standardization takes out.
struct Standardization {
  std::vector<float> mean{};  ///< [columns]; empty: not scaled
  std::vector<float> std{};   ///< [columns]; empty: not scaled

  /// (x - mean) / std of each column of x [rows, columns].
  void apply(std::span<float> x) const;
};

/// Measures mean and population standard deviation of columns, in double. It takes all values
/// twice: first in calls of `add`, then in calls of `add_deviations`.
class ColumnMoments {
 public:
  explicit ColumnMoments(std::int64_t columns)
      : sums_(static_cast<std::size_t>(columns)),
        counts_(sums_.size()),
        means_(sums_.size()),
        squares_(sums_.size()) {}

  /// x is [rows, columns], some of the rows. A NaN counts for nothing.
  void add(std::span<const float> x);
  void add_deviations(std::span<const float> x);
  /// A constant column gets std 1.
  Standardization standardization() const;

 private:
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;  // of values
  std::vector<double> means_;         // once there are deviations
  std::vector<double> squares_;
};

}  // namespace quadgate
