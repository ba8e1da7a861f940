// Sweeps rows, inputs and outputs over 1 to 40. Tolerance: 1e-5 of the largest element: sums of at
// most 40 products of numbers below 1 round to less than 40 epsilon.

#include "engine/onednn/linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/threads/arena.h"
#include "tests/support/numbers.h"

namespace quadgate::onednn {
namespace {

using testing::relative_error;

std::size_t floats(std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); }

void expect_formula(const Linear& linear) {
  const auto [rows, in, out] = linear;
  testing::Random random(1);
  const auto x = random.values(floats(rows, in));
  const auto weight = random.values(floats(out, in));
  const auto bias = random.values(floats(out, 1));
  const auto dy = random.values(floats(rows, out));
  std::vector<float> y(floats(rows, out), NAN);
  std::vector<float> dx(x.size(), NAN);
  std::vector<float> d_weight(weight.size(), NAN);
  std::vector<float> d_bias(bias.size(), NAN);
  Arena arena(1);
  arena.for_each(1, [&](std::int64_t) {
    linear.forward(x.data(), weight.data(), bias.data(), y.data());
    linear.backward(x.data(), weight.data(), dy.data(), dx.data(), d_weight.data(), d_bias.data());
  });

  std::vector<double> expected_y(y.size());
  std::vector<double> expected_dx(dx.size());
  std::vector<double> expected_d_weight(d_weight.size());
  std::vector<double> expected_d_bias(d_bias.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t o = 0; o < out; ++o) {
      const std::size_t at_y = floats(row, out) + static_cast<std::size_t>(o);
      expected_y[at_y] += bias[static_cast<std::size_t>(o)];
      expected_d_bias[static_cast<std::size_t>(o)] += dy[at_y];
      for (std::int64_t i = 0; i < in; ++i) {
        const std::size_t at_x = floats(row, in) + static_cast<std::size_t>(i);
        const std::size_t at_weight = floats(o, in) + static_cast<std::size_t>(i);
        expected_y[at_y] += double{x[at_x]} * weight[at_weight];
        expected_dx[at_x] += double{dy[at_y]} * weight[at_weight];
        expected_d_weight[at_weight] += double{dy[at_y]} * x[at_x];
      }
    }
  }
  EXPECT_LE(relative_error(y, expected_y), 1e-5);
  EXPECT_LE(relative_error(dx, expected_dx), 1e-5);
  EXPECT_LE(relative_error(d_weight, expected_d_weight), 1e-5);
  EXPECT_LE(relative_error(d_bias, expected_d_bias), 1e-5);
}

TEST(LinearTest, FollowsTheFormulaForwardAndBackward) {
  for (const std::int64_t rows : {1, 2, 5, 16, 40}) {
    for (const std::int64_t in : {1, 3, 8, 33}) {
      for (const std::int64_t out : {1, 2, 10, 19}) {
        SCOPED_TRACE(::testing::Message() << rows << " x " << in << " to " << out);
        expect_formula({.rows = rows, .in_features = in, .out_features = out});
      }
    }
  }
}

}  // namespace
}  // namespace quadgate::onednn
