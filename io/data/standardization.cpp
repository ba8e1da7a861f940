#include "io/data/standardization.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quadgate {
namespace {

/// Whether values vary by no more than what their sums are rounded by, as scikit-learn tells it.
bool is_of_rounding(double variance, double mean, double count) {
  constexpr double kUnit = std::numeric_limits<double>::epsilon();
  const double of_mean = count * mean * kUnit;
  return !(variance > count * kUnit * variance + of_mean * of_mean);
}

}  // namespace

void Standardization::apply(std::span<const double> x, std::span<float> out) const {
  if (mean.empty()) {
    std::ranges::transform(x, out.begin(), [](double value) { return static_cast<float>(value); });
    return;
  }
  for (std::size_t row = 0; row < x.size(); row += mean.size()) {
    for (std::size_t i = 0; i < mean.size(); ++i) {
      out[row + i] = static_cast<float>((x[row + i] - mean[i]) / std[i]);
    }
  }
}

void ColumnMoments::add(std::span<const double> x) {
  for (std::size_t row = 0; row < x.size(); row += columns_.size()) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const double value = x[row + i];
      if (std::isnan(value)) continue;
      Column& column = columns_[i];
      if (column.count++ == 0) column.first = value;
      column.is_constant = column.is_constant && value == column.first;
      column.sum += value;
    }
  }
}

void ColumnMoments::add_deviations(std::span<const double> x) {
  for (Column& column : columns_) column.mean = column.sum / static_cast<double>(column.count);
  for (std::size_t row = 0; row < x.size(); row += columns_.size()) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      const double deviation = std::isnan(x[row + i]) ? 0 : x[row + i] - column.mean;
      column.deviations += deviation;
      column.squares += deviation * deviation;
    }
  }
}

Standardization ColumnMoments::standardization() const {
  Standardization standardization;
  for (const Column& column : columns_) {
    const auto count = static_cast<double>(column.count);
    // What the rounded mean leaves of the deviations.
    const double rest = column.deviations / count;
    const double variance = column.squares / count - rest * rest;
    const double mean = column.mean + rest;
    const bool is_constant = column.is_constant && column.count > 0;
    standardization.mean.push_back(is_constant ? column.first : mean);
    standardization.std.push_back(
        is_constant || is_of_rounding(variance, mean, count) ? 1 : std::sqrt(variance));
  }
  return standardization;
}

}  // namespace quadgate
