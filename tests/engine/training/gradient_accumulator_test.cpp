// Sweeps sizes around a tile and above what one core takes, 1 to 4 threads and sums of up to three
// gradients, used twice. Tolerance: 1e-6 of the largest sum and of the norm, for three roundings;
// none between numbers of threads.

#include "engine/training/gradient_accumulator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/threads/parallel_tiles.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

TEST(GradientAccumulatorTest, SumsAndMeasures) {
  for (const std::size_t size : {std::size_t{1}, kFlatTile, kFlatTile + 1, 5 * kFlatTile + 3}) {
    std::vector<float> first_sum;
    double first_norm = 0;
    for (const int threads : {1, 2, 4}) {
      Arena arena(threads);
      GradientAccumulator accumulator(size);
      for (int use = 0; use < 2; ++use) {
        testing::Random random(1);
        std::vector<double> expected(size);
        for (int batch = 1; batch <= 3; ++batch) {
          const auto gradients = random.values(size);
          accumulator.add(arena, {.values = gradients});
          EXPECT_EQ(accumulator.count(), batch);
          double square = 0;
          for (std::size_t i = 0; i < size; ++i) {
            expected[i] += gradients[i];
            square += expected[i] * expected[i];
          }
          EXPECT_LE(testing::relative_error(accumulator.sum().values, expected), 1e-6);
          EXPECT_NEAR(accumulator.sum().norm, std::sqrt(square), 1e-6 * std::sqrt(square));
        }
        const auto values = accumulator.sum().values;
        const std::vector<float> sum(values.begin(), values.end());
        if (first_sum.empty()) {
          first_sum = sum;
          first_norm = accumulator.sum().norm;
        }
        EXPECT_EQ(sum, first_sum);
        EXPECT_EQ(accumulator.sum().norm, first_norm);
        accumulator.clear();
        EXPECT_EQ(accumulator.count(), 0);
      }
    }
  }
}

}  // namespace
}  // namespace quadgate
