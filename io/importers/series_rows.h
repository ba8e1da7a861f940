#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "io/files/spool.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// The rows of several series, which may take turns.
class SeriesRows {
 public:
  explicit SeriesRows(SpoolOptions spool = {})
      : spool_(std::move(spool)), x_(spool_), series_(spool_) {}

  void append(std::size_t series, std::span<const double> row);
  /// The rows of each series together, in their order, series after series: `parts` of `columns`.
  SpooledFloats take(std::span<const SeriesPart> parts, std::size_t columns);
  /// All rows of the one series there is, of which the last `kept` stay here as well.
  SpooledFloats take_but_keep(std::int64_t kept, std::size_t columns);

 private:
  SpoolOptions spool_;
  SpooledFloats x_;
  SpooledIntegers series_;  // [rows]; empty while all rows are of series 0
};

}  // namespace quadgate
