#pragma once

#include <cstdint>

#include "engine/model/batch.h"

/// Rows that go from batch to batch.
namespace quadgate {

/// Removes all rows. The batch keeps its memory.
void clear(Batch& batch);

/// Appends rows [first_row, end_row) of `from`, a batch of the same kind, with their features or
/// tokens, their labels, and their targets.
void append_rows(const Batch& from, std::int64_t first_row, std::int64_t end_row, Batch& to);
inline void append_row(const Batch& from, std::int64_t row, Batch& to) {
  append_rows(from, row, row + 1, to);
}

}  // namespace quadgate
