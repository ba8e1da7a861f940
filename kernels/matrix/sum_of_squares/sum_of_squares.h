#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// The sum of the squares of values [rows, columns], rows `stride` floats apart, of any alignment.
/// rows and columns may be 0. 64 floats add up sixteen rows at a time; float i has the columns c
/// with c mod 64 = i. A double adds up the floats (scalar.cpp shows how). The bits depend on values
/// and sizes alone, and every ISA gives the same. Error: half an epsilon (relative) of float for
/// each of at most 16 * ceil(columns / 64) + 2 roundings, unless a square is beyond the range of
/// floats.
using SumOfSquaresKernel = double (*)(std::int64_t rows, std::int64_t columns, const float* values,
                                      std::int64_t stride) noexcept;

/// The version for `isa`, which the machine must support.
SumOfSquaresKernel sum_of_squares_kernel(Isa isa) noexcept;

/// That of an array of any size, as rows of 64, the last of which may be shorter.
double sum_of_squares(SumOfSquaresKernel kernel, const float* values, std::int64_t size) noexcept;

}  // namespace quadgate::kernels
