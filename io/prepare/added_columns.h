#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/data/recipe.h"
#include "io/files/spool.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// The features of a series' rows that its table does not tell as numbers (see added_names), which
/// are put behind those that it does.
class AddedColumns {
 public:
  /// Of the rows of `data`, which must outlive it, in their order.
  explicit AddedColumns(const Series& data) : data_(data), times_(data.times) {}

  std::vector<std::string> names() const;
  /// Fills `out` [rows, all columns] with the next rows x [rows, data.columns()] and what is added.
  void next(std::span<const double> x, std::vector<double>& out);

 private:
  const SeriesPart& next_part();

  const Series& data_;
  SpooledFloats::Reader times_;
  std::size_t part_ = 0;   // of the last row that was given
  std::int64_t row_ = -1;  // its number in that part
};

}  // namespace quadgate
