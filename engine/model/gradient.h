#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/model/loss.h"
#include "engine/model/parameters.h"

namespace quadgate {

/// A table [rows, width] at the start of the flat arrays of which a batch differentiates few rows:
/// the optimizer leaves the others and their state alone.
struct SparseRows {
  std::size_t size = 0;                     ///< floats of the flat arrays that are its own; 0: none
  std::int64_t width = 0;                   ///< of a row
  std::span<const std::int32_t> present{};  ///< the rows that have a gradient, each once

  /// The present rows in tiles, each the work of one core.
  std::int64_t tiles() const noexcept { return tiles(present.size()); }
  /// Those of all rows.
  std::int64_t most_tiles() const noexcept {
    return size == 0 ? 0 : tiles(size / static_cast<std::size_t>(width));
  }
  /// Calls body(range) for each row of a tile.
  template <typename Body>
  void for_each(std::int64_t tile, Body body) const {
    const std::size_t first = static_cast<std::size_t>(tile) * kTile;
    for (const std::int32_t row : present.subspan(first, std::min(kTile, present.size() - first))) {
      body(FlatRange{static_cast<std::size_t>(row * width), static_cast<std::size_t>(width)});
    }
  }

 private:
  static constexpr std::size_t kTile = 64;

  static std::int64_t tiles(std::size_t rows) noexcept {
    return static_cast<std::int64_t>((rows + kTile - 1) / kTile);
  }
};

/// The gradient of a loss in one flat array, laid out as the parameters are. It is a view, which
/// the next pass of whatever returned it changes.
struct Gradient {
  std::span<const float> values;  ///< gaps included, which are 0
  double norm = 0;                ///< global (Euclidean)
  float scale = 1;                ///< the gradient is `values` times this; the norm is its norm
  SparseRows rows{};              ///< of a sparse embedding

  /// That of one tensor of the parameters.
  std::span<const float> of(const ParameterSlice& slice) const noexcept {
    return values.subspan(slice.offset, slice.size);
  }
};

/// Updates some parameters from their gradient. Ranges without a common parameter may be updated at
/// the same time.
using RangeUpdate = std::function<void(const FlatRange& range)>;

/// Hears of a range of the gradient that a core has written to for the last time. Cores call it at
/// the same time.
using GradientListener = std::function<void(const FlatRange& range)>;

/// What a forward and backward pass over a batch gives.
struct Derivative {
  Metrics metrics;
  Gradient gradient;
};

}  // namespace quadgate
