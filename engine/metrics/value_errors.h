#pragma once

#include <cstdint>
#include <optional>

namespace quadgate {

/// Sums over predicted values, in original units.
class ValueErrors {
 public:
  /// Counts a value. `scale`, if it is above 0, is what its absolute error is divided by for mase.
  void add(double predicted, double truth, double scale = 0) noexcept;

  std::int64_t count() const noexcept { return count_; }
  // Each has a value if anything is counted, those of which it is said, only then.
  double mse() const noexcept { return squared_ / static_cast<double>(count_); }
  double mae() const noexcept { return absolute_ / static_cast<double>(count_); }
  /// The mean absolute scaled error (Hyndman and Koehler 2006), of the values that have a scale.
  std::optional<double> mase() const noexcept;
  /// The mean of 2 |error| / (|predicted| + |truth|), from 0 to 2; 0 where both are 0.
  double smape() const noexcept { return symmetric_ / static_cast<double>(count_); }
  /// 1 - squared errors / squared deviations of the truth from its mean; none if it is constant.
  std::optional<double> r2() const noexcept;

 private:
  std::int64_t count_ = 0;
  double squared_ = 0;
  double absolute_ = 0;
  double scaled_ = 0;
  std::int64_t scaled_count_ = 0;
  double symmetric_ = 0;
  double mean_ = 0;        // of the truth so far
  double deviations_ = 0;  // squares of it from that
};

}  // namespace quadgate
