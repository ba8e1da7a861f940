#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/threads/arena.h"

namespace quadgate {

/// Elements of a tile: 64 KiB of floats. Tiles of a few arrays fit a core's own cache.
inline constexpr std::size_t kFlatTile = 16384;

/// Calls body(index) for each index in [0, count), on the cores of `arena`, or, if it is null, on
/// this one.
template <typename Body>
void for_each_index(Arena* arena, std::int64_t count, Body body) {
  if (arena != nullptr) return arena->for_each(count, body);
  for (std::int64_t index = 0; index < count; ++index) body(index);
}

/// Calls body(start, length) for the tiles of a flat array of `size` elements, on all cores of
/// `arena` where that pays. The tiles do not depend on the number of cores.
template <typename Body>
void for_each_tile(Arena& arena, std::size_t size, Body body) {
  constexpr std::size_t kWorthSharing = 4 * kFlatTile;
  const std::size_t tiles = (size + kFlatTile - 1) / kFlatTile;
  const auto run = [&](std::int64_t tile) {
    const std::size_t start = static_cast<std::size_t>(tile) * kFlatTile;
    body(start, static_cast<std::int64_t>(std::min(kFlatTile, size - start)));
  };
  const auto count = static_cast<std::int64_t>(tiles);
  size < kWorthSharing ? arena.for_each_here(count, run) : arena.for_each(count, run);
}

}  // namespace quadgate
