#pragma once

#include <cstdint>

#include "engine/model/batch.h"

/// Rows that go from batch to batch.
namespace quadgate {

/// Leaves a batch of no rows, with its memory.
void clear(Batch& batch);

/// Appends row `row` of `from`, a batch of the same kind: what it has (features or tokens; labels
/// of rows or of steps; targets) goes with it.
void append_row(const Batch& from, std::int64_t row, Batch& to);

}  // namespace quadgate
