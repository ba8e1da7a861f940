#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// The seconds of "30s", "15min", "1h" or "1d". Throws InvalidArgument for all else.
double parse_time_step(std::string_view text);

/// Makes rows of series regular in time, as pandas' resample(step).mean() does: a row a step, from
/// the first one to the last, is the mean of the values that the rows in it have. NaN is no value,
/// and what a step without one gets. Steps begin at multiples of their length since 1970.
class Resampler {
 public:
  /// Takes a row of a series and its time.
  using Output = std::function<void(std::size_t series, double time, std::span<double> row)>;

  Resampler(double step, std::size_t columns, Output output)
      : step_(step), columns_(columns), output_(std::move(output)) {}

  /// Takes the next row of a series. Returns what was expected of its time instead, or "".
  std::string add(std::size_t series, double time, std::span<const double> row);
  /// Gives the last step of each series.
  void finish();

 private:
  struct Step {
    std::int64_t number = 0;  // since 1970
    std::int64_t rows = 0;
    std::vector<double> sums{};
    std::vector<std::int64_t> counts{};
  };
  void end(std::size_t series);

  double step_;
  std::size_t columns_;
  Output output_;
  std::vector<Step> steps_;  // by series: the one whose rows are being read
  std::vector<double> row_;
};

}  // namespace quadgate
