#include "engine/metrics/season.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quadgate {

SeasonFinder::SeasonFinder(std::int64_t longest)
    : lags_(static_cast<std::size_t>(longest) + 2), products_(lags_), sums_(lags_) {}

void SeasonFinder::begin_series(double mean_difference) {
  end_series();
  mean_ = mean_difference;
}

void SeasonFinder::add(double value) {
  const std::optional<double> before = std::exchange(last_, value);
  if (!before) return;
  recent_.push_front(value - *before - mean_);
  if (recent_.size() > lags_) recent_.pop_back();
  ++count_;
  for (std::size_t lag = 0; lag < recent_.size(); ++lag) {
    products_[lag] += recent_.front() * recent_[lag];
  }
}

void SeasonFinder::end_series() {
  if (products_[0] > 0) {
    const auto weight = static_cast<double>(count_);
    for (std::size_t lag = 0; lag < lags_; ++lag) {
      sums_[lag] += weight * products_[lag] / products_[0];
    }
    total_ += weight;
  }
  last_.reset();
  recent_.clear();
  std::ranges::fill(products_, 0);
  count_ = 0;
}

void SeasonFinder::join(SeasonFinder other) {
  end_series();
  other.end_series();
  for (std::size_t lag = 0; lag < lags_; ++lag) sums_[lag] += other.sums_[lag];
  total_ += other.total_;
}

std::optional<std::int64_t> SeasonFinder::find() {
  end_series();
  if (total_ == 0) return {};
  std::vector<std::size_t> peaks;
  double squares = 0;  // of the autocorrelations of shorter lags
  double largest = 0;
  for (std::size_t lag = 1; lag + 1 < lags_; ++lag) {
    const double here = sums_[lag] / total_;
    const double bound = std::max(0.1, 1.645 * std::sqrt((1 + 2 * squares) / total_));
    squares += here * here;
    if (lag < 2 || here <= bound || sums_[lag] <= sums_[lag - 1] || sums_[lag] < sums_[lag + 1]) {
      continue;
    }
    peaks.push_back(lag);
    largest = std::max(largest, here);
  }
  for (const std::size_t lag : peaks) {
    if (sums_[lag] / total_ >= 0.9 * largest) return static_cast<std::int64_t>(lag);
  }
  return {};
}

}  // namespace quadgate
