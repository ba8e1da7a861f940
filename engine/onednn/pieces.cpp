#include "engine/onednn/pieces.h"

#include <algorithm>
#include <bit>

#include "engine/base/ceil_div.h"

namespace quadgate::onednn {

std::vector<std::int64_t> piece_lengths(std::int64_t seq_len) {
  std::vector<std::int64_t> lengths{seq_len};
  auto power = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(seq_len)));
  while ((power /= 2) > 0) lengths.push_back(power);
  return lengths;
}

void cut(const native::PackedSteps& steps, std::int64_t slice, bool reverse,
         std::span<const std::int64_t> lengths, std::span<const std::size_t> workspaces,
         std::vector<Piece>& pieces) {
  pieces.clear();
  for (std::int64_t t = 0; steps.rows_at(slice, t) > 0;) {
    const std::int64_t alive = steps.rows_at(slice, t);
    std::int64_t end = t + 1;
    while (steps.rows_at(slice, end) == alive) ++end;
    for (std::size_t length = 0; t < end; ++length) {
      for (; lengths[length] <= end - t; t += lengths[length]) {
        pieces.push_back({.first = t, .length = length, .steps = lengths[length], .alive = alive});
      }
    }
  }
  if (reverse) std::ranges::reverse(pieces);
  std::size_t workspace = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    const auto shared = [&](std::size_t other) {
      return std::min(piece.alive, pieces[other].alive);
    };
    piece.before = i == 0 ? 0 : shared(i - 1);
    piece.behind = i + 1 == pieces.size() ? 0 : shared(i + 1);
    piece.workspace = workspace;
    workspace += workspaces[piece.length];
  }
}

/// Between two ends of sequences a number of steps takes each power of two once at most. So there
/// are most pieces where as many as possible are small.
std::size_t most_pieces(std::int64_t rows, std::span<const std::int64_t> lengths) noexcept {
  std::int64_t pieces = 0;
  std::int64_t steps = lengths.front();
  for (std::int64_t power = 1; power <= steps; power *= 2) {
    const std::int64_t more = std::min(rows, steps / power);
    pieces += more;
    steps -= more * power;
  }
  return static_cast<std::size_t>(pieces);
}

/// A workspace takes a share of that of all steps, and a part that does not depend on its steps.
std::size_t most_workspace(std::size_t pieces, std::span<const std::int64_t> lengths,
                           std::span<const std::size_t> workspaces) noexcept {
  const std::int64_t seq_len = lengths.front();
  const auto of_all = static_cast<std::int64_t>(workspaces.front());
  std::int64_t extra = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    extra =
        std::max(extra, static_cast<std::int64_t>(workspaces[i]) - of_all * lengths[i] / seq_len);
  }
  return workspaces.front() + pieces * static_cast<std::size_t>(extra);
}

}  // namespace quadgate::onednn
