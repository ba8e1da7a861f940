// Sweeps every ISA and 1 to 4 threads, with and without sparse rows: fewer than a tile, several
// tiles, none. Rows that are not present are NaN, so that one that is read shows. Tolerance: 1e-5,
// for sums of 64 floats; none between ISAs and numbers of threads.

#include "engine/training/gradient_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/model/gradient_buffer.h"
#include "engine/threads/parallel_tiles.h"
#include "kernels/base/isa.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

class GradientNormTest : public ::testing::Test {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::Isa::amx_bf16); }

  void expect_norm(const Parameters& parameters, const Gradient& gradient, double square) {
    const double expected = std::abs(gradient.scale) * std::sqrt(square);
    std::vector<double> norms;
    for (const auto isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512}) {
      if (isa > kernels::detected_isa()) continue;
      kernels::cap_isa(isa);
      for (const int threads : {1, 2, 4}) {
        Arena arena(threads);
        GradientNorm norm(parameters);
        norms.push_back(norm.of(gradient, arena));
        norms.push_back(norm.of(gradient, arena));
      }
    }
    EXPECT_NEAR(norms.front(), expected, 1e-5 * expected);
    EXPECT_EQ(norms, std::vector(norms.size(), norms.front()));
  }
};

TEST_F(GradientNormTest, IsThatOfTheWholeArray) {
  const Parameters parameters({.rnn = {.input_size = 7, .hidden_size = 130}, .output_size = 3});
  ASSERT_GT(parameters.values().size(), 4 * kFlatTile);
  const auto values = testing::Random(1).values(parameters.values().size());
  double square = 0;
  for (const double value : values) square += value * value;
  expect_norm(parameters, {.values = values}, square);
  expect_norm(parameters, {.values = values, .scale = 0.5F}, square);
}

TEST_F(GradientNormTest, ReadsThePresentRowsOfASparseTable) {
  const Parameters parameters({.rnn = {.input_size = 19, .hidden_size = 40},
                               .task = Task::tagging,
                               .output_size = 3,
                               .embedding = {.vocabulary_size = 1000}});
  SparseRows rows = sparse_table(parameters);
  ASSERT_GT(rows.size, 0);
  const auto drawn = testing::Random(1).values(parameters.values().size());
  for (const std::int32_t count : {0, 1, 64, 300, 1000}) {
    std::vector<std::int32_t> present(static_cast<std::size_t>(count));
    for (std::int32_t row = 0; auto& its : present) its = (row++ * 37 + 5) % 1000;
    rows.present = present;
    auto values = drawn;
    const auto table = values.begin() + static_cast<std::ptrdiff_t>(rows.size);
    std::fill(values.begin(), table, std::numeric_limits<float>::quiet_NaN());
    double square = 0;
    for (const std::int32_t row : present) {
      for (std::int64_t i = row * rows.width; i < (row + 1) * rows.width; ++i) {
        const double value = values[static_cast<std::size_t>(i)] =
            drawn[static_cast<std::size_t>(i)];
        square += value * value;
      }
    }
    for (auto value = table; value != values.end(); ++value) {
      square += static_cast<double>(*value) * *value;
    }
    expect_norm(parameters, {.values = values, .rows = rows}, square);
  }
}

}  // namespace
}  // namespace quadgate
