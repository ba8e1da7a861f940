#pragma once

#include <cstdint>

namespace quadgate::native {

/// Rows of features in memory, `stride` floats apart.
struct RowView {
  float* data = nullptr;
  std::int64_t stride = 0;

  float* at(std::int64_t row) const noexcept { return data + row * stride; }
};

/// The features of all packed rows that go into a layer or come out of it. In bf16 they are there
/// twice. The floats of a row lie side by side; the pairs lie in a part for each direction:
///
///     rows   row 0 | forward | reverse |  row 1 | forward | reverse |  ...
///     pairs  row 0 | forward |            row 1 | forward |            ...
///            row 0 | reverse |            row 1 | reverse |            ...
struct LayerRows {
  RowView rows;
  RowView pairs;  ///< in bf16: rounded, pairs of neighbours (kernels/matrix/bf16/bf16.h)
  std::int64_t pair_parts_stride = 0;  ///< from one part of the pairs to the next
};

}  // namespace quadgate::native
