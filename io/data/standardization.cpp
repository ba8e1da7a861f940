#include "io/data/standardization.h"

#include <cmath>

namespace quadgate {

void Standardization::apply(std::span<float> x) const {
  for (std::size_t row = 0; row < x.size(); row += mean.size()) {
    for (std::size_t i = 0; i < mean.size(); ++i) x[row + i] = (x[row + i] - mean[i]) / std[i];
  }
}

void ColumnMoments::add(std::span<const float> x) {
  const std::size_t columns = sums_.size();
  for (std::size_t row = 0; row < x.size(); row += columns) {
    for (std::size_t i = 0; i < columns; ++i) {
      const bool is_value = !std::isnan(x[row + i]);
      sums_[i] += is_value ? x[row + i] : 0;
      counts_[i] += is_value ? 1 : 0;
    }
  }
}

void ColumnMoments::add_deviations(std::span<const float> x) {
  const std::size_t columns = sums_.size();
  for (std::size_t i = 0; i < columns; ++i) means_[i] = sums_[i] / static_cast<double>(counts_[i]);
  for (std::size_t row = 0; row < x.size(); row += columns) {
    for (std::size_t i = 0; i < columns; ++i) {
      const double deviation = std::isnan(x[row + i]) ? 0 : x[row + i] - means_[i];
      squares_[i] += deviation * deviation;
    }
  }
}

Standardization ColumnMoments::standardization() const {
  Standardization standardization;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    standardization.mean.push_back(static_cast<float>(sums_[i] / static_cast<double>(counts_[i])));
    const auto std = static_cast<float>(std::sqrt(squares_[i] / static_cast<double>(counts_[i])));
    standardization.std.push_back(std > 0 ? std : 1.0F);
  }
  return standardization;
}

}  // namespace quadgate
