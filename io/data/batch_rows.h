#pragma once

#include <cstdint>

#include "engine/model/batch.h"

/// Rows that go from batch to batch.
namespace quadgate {

/// Removes all rows. The batch keeps its memory.
void clear(Batch& batch);

/// Appends row `row` of `from`, a batch of the same kind, with its features or tokens, its label or
/// labels, and its targets.
void append_row(const Batch& from, std::int64_t row, Batch& to);

}  // namespace quadgate
