#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Brings rows together into a panel of the right side of a product: to [rows, width] gets row
/// index[k] of `from` (rows `from_stride` apart), or row k if index is null, or zeros where it is
/// -1. A row has `columns` values; the rest of its width, which is columns rounded up to whole
/// vectors, becomes zero.
struct Gather {
  std::int64_t rows;
  const std::int64_t* index;
  const float* from;
  std::int64_t from_stride;
  std::int64_t columns;
  float* to;
};
using GatherKernel = void (*)(const Gather& gather) noexcept;
GatherKernel gather_kernel(Isa isa) noexcept;

/// to [depth, lanes], rows `to_stride` apart, gets the transpose of from [count, depth], rows
/// `from_stride` apart, count <= lanes = vector_lanes(isa); the other lanes become zero.
struct Transpose {
  std::int64_t count;
  std::int64_t depth;
  const float* from;
  std::int64_t from_stride;
  float* to;
  std::int64_t to_stride;
};
using TransposeKernel = void (*)(const Transpose& transpose) noexcept;
TransposeKernel transpose_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
