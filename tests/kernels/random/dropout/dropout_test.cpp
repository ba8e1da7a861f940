// Sweeps 0 to 100 values and longer arrays, in place and not, first blocks whose counters wrap
// round, and thresholds from none to all, on every ISA; the arrays end at pages that may not be
// touched. The truth are the known answers of Philox4x32-10 (kat_vectors of Random123, Salmon et
// al. 2011). No tolerance: every ISA gives the same bits.

#include "kernels/random/dropout/dropout.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

class DropoutTest : public EachIsa {
 protected:
  testing::Random random_{7};
};

/// A key and counter, and the words that Philox makes of them.
struct KnownAnswer {
  std::uint64_t key;
  std::array<std::uint32_t, 4> counter;
  std::array<std::uint32_t, 4> words;
};

const KnownAnswer kKnownAnswers[] = {
    {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {0xffffffffffffffff,
     {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {0x299f31d0a4093822,
     {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

/// Whether the value at `place` from `mask.first_block` on is kept.
bool keeps(Isa isa, DropoutMask mask, std::size_t place, std::uint32_t threshold) {
  mask.threshold = threshold;
  std::vector<float> values(place + 1, 1.0F);
  dropout_kernel(isa)(mask, static_cast<std::int64_t>(values.size()), values.data(), values.data());
  return values[place] != 0;
}

TEST_P(DropoutTest, DrawsTheKnownAnswers) {
  for (const auto& [key, counter, words] : kKnownAnswers) {
    for (const std::uint32_t before : {0U, 1U, 3U, 5U, 8U, 21U}) {  // in other lanes
      const DropoutMask mask{.key = key,
                             .counter = {counter[0], counter[1], counter[2]},
                             .first_block = counter[3] - before,
                             .threshold = 0,
                             .scale = 1};
      for (std::size_t i = 0; i < 4; ++i) {
        const std::uint32_t drawn = words[i] >> 8;
        EXPECT_TRUE(keeps(GetParam(), mask, 4 * before + i, drawn)) << before << ", word " << i;
        EXPECT_FALSE(keeps(GetParam(), mask, 4 * before + i, drawn + 1))
            << before << ", word " << i;
      }
    }
  }
}

TEST_P(DropoutTest, GivesTheBitsOfTheScalarVersion) {
  for (const std::size_t size : ragged_sizes()) {
    for (const std::uint32_t threshold : {0U, 1U << 20, 1U << 23, 15U << 20, 1U << 24}) {
      const DropoutMask mask{.key = 0x0123456789ABCDEF,
                             .counter = {1, 2, static_cast<std::uint32_t>(size)},
                             .first_block = size % 2 == 0 ? 0xFFFFFFFD : 17,
                             .threshold = threshold,
                             .scale = 1.375F};
      GuardedArray from(size, [this] { return random_.uniform(-1, 1); });
      GuardedArray expected(size);
      GuardedArray found(size);
      const auto count = static_cast<std::int64_t>(size);
      dropout_kernel(Isa::scalar)(mask, count, from.data(), expected.data());
      dropout_kernel(GetParam())(mask, count, from.data(), found.data());
      ASSERT_TRUE(found.same_bits(expected)) << size << ", " << threshold;
      dropout_kernel(GetParam())(mask, count, from.data(), from.data());
      ASSERT_TRUE(from.same_bits(expected)) << size << ", " << threshold;
      ASSERT_TRUE(found.before_is_intact() && from.before_is_intact()) << size;
    }
  }
}

TEST_P(DropoutTest, KeepsAtTheRateOfTheThreshold) {
  constexpr std::int64_t kCount = 100'000;
  for (const double p : {0.1, 0.5, 0.9}) {
    const DropoutMask mask{.key = 1,
                           .counter = {2, 3, 4},
                           .first_block = 0,
                           .threshold = static_cast<std::uint32_t>(p * 0x1p24),
                           .scale = 3};
    std::vector<float> values(kCount, 2.0F);
    dropout_kernel(GetParam())(mask, kCount, values.data(), values.data());
    double kept = 0;
    for (const float value : values) {
      ASSERT_TRUE(value == 0 || value == 6);
      kept += value == 0 ? 0 : 1;
    }
    EXPECT_NEAR(kept / kCount, 1 - p, 5 * std::sqrt(p * (1 - p) / kCount));  // 5 standard errors
  }
}

TEST_P(DropoutTest, MultipliesArrays) {
  for (const std::size_t size : ragged_sizes()) {
    GuardedArray factors(size, [this] { return random_.uniform(-2, 2); });
    GuardedArray from(size, [this] { return random_.uniform(-1, 1); });
    GuardedArray found(size);
    const auto count = static_cast<std::int64_t>(size);
    multiply_kernel(GetParam())(count, factors.data(), from.data(), found.data());
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(found[i], from[i] * factors[i]) << size;
    multiply_kernel(GetParam())(count, factors.data(), from.data(), from.data());
    ASSERT_TRUE(from.same_bits(found) && from.before_is_intact()) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, DropoutTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
