#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "io/data/dataset.h"

namespace quadgate {

/// A sequence of a data set, with its label, a label a step, or values.
struct SequenceRow {
  std::int64_t number = 0;                 ///< among the rows of all splits
  std::int64_t length = 0;                 ///< T, steps
  std::span<const float> x{};              ///< [T, I], or
  std::span<const std::int32_t> tokens{};  ///< [T]
  std::span<const std::int64_t> labels{};  ///< [1], of tagging [T], or
  std::span<const float> targets{};        ///< [O]
};

/// Visits the rows of all splits, those of train before those of valid and test, in the order of
/// the files. Throws like Split::read, DataError also if a split has no targets.
void for_each_row(Dataset& data, const std::function<void(const SequenceRow&)>& visit);

}  // namespace quadgate
