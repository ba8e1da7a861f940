#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/packed_steps.h"

namespace quadgate::onednn {

/// Some steps of a slice's sequences that are one call of a primitive.
struct Piece {
  std::int64_t first = 0;     ///< its first step
  std::size_t length = 0;     ///< index of the number of its steps
  std::int64_t steps = 0;     ///< that number
  std::int64_t alive = 0;     ///< sequences at each of its steps, the first ones of the slice
  std::int64_t before = 0;    ///< of these, sequences that are in the piece before it, in the
                              ///< layer's direction; the others begin
  std::int64_t behind = 0;    ///< likewise behind it; the others end
  std::size_t workspace = 0;  ///< where its workspace begins, in floats
};

/// The numbers of steps that pieces have: seq_len, and each power of two below it, falling.
std::vector<std::int64_t> piece_lengths(std::int64_t seq_len);

/// Cuts a slice into pieces whose numbers of steps are among `lengths`, from the first step of the
/// layer's direction to the last. A piece ends where a sequence ends or begins. `lengths` fall and
/// end with 1; `workspaces` are their sizes. `pieces` keeps its memory.
void cut(const native::PackedSteps& steps, std::int64_t slice, bool reverse,
         std::span<const std::int64_t> lengths, std::span<const std::size_t> workspaces,
         std::vector<Piece>& pieces);

/// The most pieces that `rows` sequences of up to lengths.front() steps have.
std::size_t most_pieces(std::int64_t rows, std::span<const std::int64_t> lengths) noexcept;
/// The most floats that the workspaces of so many pieces take.
std::size_t most_workspace(std::size_t pieces, std::span<const std::int64_t> lengths,
                           std::span<const std::size_t> workspaces) noexcept;

}  // namespace quadgate::onednn
