#pragma once

#include <cstdint>

#include "kernels/base/isa.h"

namespace quadgate::kernels {

/// What the sums over the gates promise. It decides how wide the panels of weights and gates are,
/// so the kernels of cells and products come in two kinds.
enum class Arithmetic : std::uint8_t {
  fastest,     ///< panels of the instruction set's vectors, on which the order of sums depends
  consistent,  ///< panels of 16 floats, as AVX-512 has them: the same order everywhere
};

/// Floats in a vector of the kernels for `isa`, for which panels are made: 1, 8 or 16.
std::int64_t vector_lanes(Isa isa, Arithmetic arithmetic) noexcept;

/// Vectors in the width of a whole panel.
inline constexpr std::int64_t kPanelVectors = 4;

}  // namespace quadgate::kernels
