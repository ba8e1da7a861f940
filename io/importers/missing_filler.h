#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/importers/missing_policy.h"

namespace quadgate {

/// Fills the rows of a series, front to back, or says which are left out. NaN is a missing value.
class MissingFiller {
 public:
  MissingFiller(MissingPolicy policy, std::size_t columns);

  /// A new series begins.
  void begin();
  /// Whether a row is kept; `forward` fills it. Of `error` and `mean` each is.
  bool keep(std::span<double> row);
  /// Values that were missing in the rows that were kept.
  std::int64_t filled() const noexcept { return filled_; }

 private:
  MissingPolicy policy_;
  std::vector<double> last_;  // NaN: none yet
  std::int64_t filled_ = 0;
};

}  // namespace quadgate
