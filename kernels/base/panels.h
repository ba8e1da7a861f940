#pragma once

#include <cstdint>

#include "kernels/base/isa.h"

namespace quadgate::kernels {

/// What products multiply and how they sum. It decides how wide the panels of weights and gates
/// are, so kernels of cells and products come in kinds.
enum class Arithmetic : std::uint8_t {
  floats,  ///< f32 in panels of the instruction set's vectors, which decide the order of sums
  pairs,   ///< bf16 in panels of vectors of 16 floats, as AVX-512 has them: one order everywhere
  tiles,   ///< bf16 in the same panels, summed as AMX does (matrix/bf16/bf16.h)
};

/// The arithmetic of bf16 that is the fastest for `isa`: tiles where it has AMX, else pairs.
Arithmetic fastest_bf16(Isa isa) noexcept;

/// For tests: until the next call, whether tiles are the fastest for every `isa`. They are emulated
/// where there is no AMX.
void prefer_tiles(bool everywhere) noexcept;

/// Floats in a vector of the panels for `isa`: 1, 8 or 16.
std::int64_t vector_lanes(Isa isa, Arithmetic arithmetic) noexcept;

/// Vectors in the width of a whole panel. A matrix [depth, columns] lies in panels like this:
///
///     panel 0: row 0 of columns 0 .. w - 1, row 1, ..., row depth - 1
///     panel 1: row 0 of columns w .. 2 w - 1, row 1, ...           w = kPanelVectors * lanes
inline constexpr std::int64_t kPanelVectors = 4;

}  // namespace quadgate::kernels
