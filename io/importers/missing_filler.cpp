#include "io/importers/missing_filler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quadgate {
namespace {

std::int64_t count_missing(std::span<const double> row) {
  return std::ranges::count_if(row, [](double value) { return std::isnan(value); });
}

}  // namespace

MissingFiller::MissingFiller(MissingPolicy policy, std::size_t columns)
    : policy_(policy), last_(columns, std::numeric_limits<double>::quiet_NaN()) {}

void MissingFiller::begin() { std::ranges::fill(last_, std::numeric_limits<double>::quiet_NaN()); }

bool MissingFiller::keep(std::span<double> row) {
  const std::int64_t missing = count_missing(row);
  if (policy_ == MissingPolicy::drop) return missing == 0;
  if (policy_ == MissingPolicy::forward) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (std::isnan(row[i])) row[i] = last_[i];
      last_[i] = row[i];
    }
    if (count_missing(row) > 0) return false;
  }
  filled_ += missing;
  return true;
}

}  // namespace quadgate
