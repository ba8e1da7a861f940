#pragma once

#include <cstdint>

#include "kernels/base/isa.h"

namespace quadgate::kernels {

/// What the sums over the gates promise. It decides how wide the panels of weights and gates are,
/// so kernels of cells and products come in two kinds.
enum class Arithmetic : std::uint8_t {
  fastest,     ///< panels of the instruction set's vectors, which decide the order of sums
  consistent,  ///< panels of vectors of 16 floats, as AVX-512 has them: one order everywhere
};

/// Floats in a vector of the panels for `isa`: 1, 8 or 16.
std::int64_t vector_lanes(Isa isa, Arithmetic arithmetic) noexcept;

/// Vectors in the width of a whole panel. A matrix [depth, columns] lies in panels like this:
///
///     panel 0: row 0 of columns 0 .. w - 1, row 1, ..., row depth - 1
///     panel 1: row 0 of columns w .. 2 w - 1, row 1, ...           w = kPanelVectors * lanes
inline constexpr std::int64_t kPanelVectors = 4;

}  // namespace quadgate::kernels
