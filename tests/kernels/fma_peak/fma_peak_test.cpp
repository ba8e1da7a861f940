// Sweeps rounds 0 to 12 and a million, on every ISA; of tiles 0 to 3, also emulated.
// No tolerance: up to 12 rounds every value and sum is a float; later the chains settle at 2.

#include "kernels/fma_peak/fma_peak.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "kernels/fma_peak/impl.h"
#include "kernels/simd/emulated_tiles.h"
#include "tests/kernels/each_isa.h"

namespace quadgate::kernels {
namespace {

std::int64_t lanes(Isa isa) { return isa >= Isa::avx512 ? 16 : isa == Isa::avx2 ? 8 : 4; }

class FmaPeakTest : public EachIsa {};

// x = x / 2 + 1 from k is 2 + (k - 2) / 2^rounds; the sum of (k - 2) over the chains is 78.
TEST_P(FmaPeakTest, RunsEveryChainForEveryRound) {
  for (const int rounds : {0, 1, 2, 3, 7, 12}) {
    const double chains = 2.0 * kFmaPeakChains + 78.0 / std::pow(2.0, rounds);
    EXPECT_EQ(fma_peak_kernel(GetParam())(rounds), static_cast<double>(lanes(GetParam())) * chains)
        << "rounds " << rounds;
  }
}

TEST_P(FmaPeakTest, SettlesAtTwo) {
  EXPECT_EQ(fma_peak_kernel(GetParam())(1'000'000),
            static_cast<float>(2 * kFmaPeakChains * lanes(GetParam())));
}

TEST_P(FmaPeakTest, CountsTwoOperationsForEachElement) {
  EXPECT_EQ(fma_peak_flops_per_round(GetParam()), 2 * kFmaPeakChains * lanes(GetParam()));
}

TEST(TilePeakTest, LeavesTheTilesAtOne) {
  for (const int rounds : {0, 1, 3}) {
    EXPECT_EQ(bf16_peak_tiles<EmulatedTiles>(rounds), 1024);
    if (detected_isa() == Isa::amx_bf16) {
      EXPECT_EQ(bf16_peak_kernel(Isa::amx_bf16)(rounds), 1024);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, FmaPeakTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
