// Sweeps 1 to 9 sequences of 1 to 70 steps, in both directions, in batches of several slices. No
// tolerance: whole numbers.

#include "engine/onednn/pieces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/support/batches.h"

namespace quadgate::onednn {
namespace {

constexpr std::int64_t kSliceRows = 4;

/// The numbers of steps that there are primitives for.
std::vector<std::int64_t> lengths_of(std::int64_t seq_len) {
  std::vector<std::int64_t> lengths{seq_len};
  for (std::int64_t power = 64; power > 0; power /= 2) {
    if (power < seq_len) lengths.push_back(power);
  }
  return lengths;
}

/// The pieces of each slice of a batch, with workspaces of 3 floats and 5 a step.
void for_each_cut(std::int64_t rows, std::int64_t seq_len, bool reverse, testing::Random& random,
                  const std::function<void(const native::PackedSteps& steps, std::int64_t slice,
                                           const std::vector<Piece>& pieces)>& body) {
  native::PackedSteps steps(seq_len, rows, {.slice_rows = kSliceRows});
  std::vector<std::int64_t> offsets{0};
  for (const auto length : testing::random_lengths(rows, seq_len, random)) {
    offsets.push_back(offsets.back() + length);
  }
  steps.assign(offsets);
  const auto lengths = lengths_of(seq_len);
  EXPECT_EQ(piece_lengths(seq_len), lengths);
  std::vector<std::size_t> workspaces;
  workspaces.reserve(lengths.size());
  for (const auto length : lengths) workspaces.push_back(3 + 5 * static_cast<std::size_t>(length));
  std::vector<Piece> pieces(3);
  for (std::int64_t slice = 0; slice < steps.slices(); ++slice) {
    cut(steps, slice, reverse, lengths, workspaces, pieces);
    body(steps, slice, pieces);
    const std::size_t most = most_pieces(kSliceRows, lengths);
    ASSERT_LE(pieces.size(), most);
    EXPECT_LE(pieces.back().workspace + workspaces[pieces.back().length],
              most_workspace(most, lengths, workspaces));
    for (const Piece& piece : pieces) EXPECT_EQ(lengths[piece.length], piece.steps);
  }
}

TEST(PiecesTest, CoverEachStepOnceInTheLayersDirection) {
  testing::Random random(1);
  for (const bool reverse : {false, true}) {
    for (const std::int64_t seq_len : {1, 2, 7, 8, 70}) {
      for (std::int64_t rows = 1; rows <= 9; ++rows) {
        for_each_cut(rows, seq_len, reverse, random,
                     [&](const auto& steps, std::int64_t slice, const auto& pieces) {
                       std::int64_t t = reverse ? steps.length(steps.first_of(slice)) : 0;
                       for (const Piece& piece : pieces) {
                         if (reverse) t -= piece.steps;
                         EXPECT_EQ(piece.first, t);
                         if (!reverse) t += piece.steps;
                         for (std::int64_t i = 0; i < piece.steps; ++i) {
                           EXPECT_EQ(steps.rows_at(slice, piece.first + i), piece.alive);
                         }
                       }
                       EXPECT_EQ(t, reverse ? 0 : steps.length(steps.first_of(slice)));
                     });
      }
    }
  }
}

TEST(PiecesTest, KnowWhichSequencesGoOnAndLieBehindEachOther) {
  testing::Random random(1);
  for (const bool reverse : {false, true}) {
    for_each_cut(9, 70, reverse, random,
                 [&](const auto& /*steps*/, std::int64_t /*slice*/, const auto& pieces) {
                   EXPECT_EQ(pieces.front().before, 0);
                   EXPECT_EQ(pieces.back().behind, 0);
                   for (std::size_t i = 1; i < pieces.size(); ++i) {
                     const std::int64_t both = std::min(pieces[i - 1].alive, pieces[i].alive);
                     EXPECT_EQ(pieces[i].before, both);
                     EXPECT_EQ(pieces[i - 1].behind, both);
                     EXPECT_EQ(pieces[i].workspace,
                               pieces[i - 1].workspace + 3 +
                                   5 * static_cast<std::size_t>(pieces[i - 1].steps));
                   }
                 });
  }
}

}  // namespace
}  // namespace quadgate::onednn
