#include "engine/metrics/value_errors.h"

#include <cmath>

namespace quadgate {

void ValueErrors::add(double predicted, double truth, double scale) noexcept {
  const double error = std::abs(predicted - truth);
  ++count_;
  squared_ += error * error;
  absolute_ += error;
  if (scale > 0) {
    scaled_ += error / scale;
    ++scaled_count_;
  }
  if (error > 0) symmetric_ += 2 * error / (std::abs(predicted) + std::abs(truth));
  // Welford's update loses no digits to a large mean.
  const double deviation = truth - mean_;
  mean_ += deviation / static_cast<double>(count_);
  deviations_ += deviation * (truth - mean_);
}

std::optional<double> ValueErrors::mase() const noexcept {
  if (scaled_count_ == 0) return {};
  return scaled_ / static_cast<double>(scaled_count_);
}

std::optional<double> ValueErrors::r2() const noexcept {
  if (!(deviations_ > 0)) return {};
  return 1 - squared_ / deviations_;
}

}  // namespace quadgate
