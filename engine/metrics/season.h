#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace quadgate {

/// Finds the period of series by the autocorrelation of their first differences, which a trend does
/// not hide.
class SeasonFinder {
 public:
  /// Periods of 2 to `longest` are looked for.
  explicit SeasonFinder(std::int64_t longest);

  /// The next series, whose differences have this mean.
  void begin_series(double mean_difference);
  void add(double value);

  /// Takes over the series of another one that looks for the same periods.
  void join(SeasonFinder other);

  /// The shortest period whose autocorrelation is above its neighbours', at least nine tenths of
  /// the largest of such, and significant: above 1.645 of Bartlett's standard error, as in the M4
  /// competition, and above 0.1. None if there is no such one.
  std::optional<std::int64_t> find();

 private:
  void end_series();

  std::size_t lags_;
  double mean_ = 0;
  std::optional<double> last_{};
  std::deque<double> recent_{};   // deviations of differences, the newest first
  std::vector<double> products_;  // [lags], of the series
  std::int64_t count_ = 0;        // of its differences
  std::vector<double> sums_;      // [lags]: autocorrelations times counts, of all series
  double total_ = 0;              // of the counts
};

}  // namespace quadgate
