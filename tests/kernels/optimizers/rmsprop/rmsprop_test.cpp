// Sweeps sizes 0 to 100 and a few thousands, all ending at a page that may not be touched, with and
// without momentum and centering, on every ISA. Tolerance: 4 epsilon of the terms' magnitudes, for
// the 2 to 4 roundings of half an epsilon on the way to an average; 12 for what is divided by the
// root of their difference, which here never cancels by more than half; between ISAs none, as they
// round alike.

#include "kernels/optimizers/rmsprop/rmsprop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

constexpr double kRmspropEpsilon = std::numeric_limits<float>::epsilon();
constexpr RmspropArgs kRmspropArgs{.grad_scale = 0.37F,
                                   .weight_decay = 0.05F,
                                   .alpha = 0.99F,
                                   .one_minus_alpha = 0.01F,
                                   .eps = 1e-3F,
                                   .momentum = 0.9F,
                                   .lr = 0.1F};

struct RmspropKind {
  bool centered;
  bool momentum;
};
constexpr RmspropKind kKinds[] = {{false, false}, {false, true}, {true, false}, {true, true}};

/// The arrays of a step, with values as they are in training: square_avg is at least twice the
/// square of grad_avg.
struct RmspropArrays {
  GuardedArray grad;
  GuardedArray square_avg;
  GuardedArray grad_avg;
  GuardedArray momentum_buffer;
  GuardedArray param;

  static RmspropArrays random(std::size_t size) {
    std::mt19937 engine(static_cast<std::mt19937::result_type>(size));
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform(-1, 1);
    const auto any = [&] { return normal(engine); };
    return {GuardedArray(size, any), GuardedArray(size, [&] { return 2 + std::abs(any()); }),
            GuardedArray(size, [&] { return uniform(engine); }), GuardedArray(size, any),
            GuardedArray(size, any)};
  }

  void update(Isa isa, std::size_t size, RmspropKind kind) {
    rmsprop_kernel(isa)(static_cast<std::int64_t>(size), kRmspropArgs,
                        {.grad = grad.data(),
                         .square_avg = square_avg.data(),
                         .grad_avg = kind.centered ? grad_avg.data() : nullptr,
                         .momentum_buffer = kind.momentum ? momentum_buffer.data() : nullptr,
                         .param = param.data()});
  }
};

/// Checks element `i` of `after` against the formula in double, applied to `before`.
void expect_formula(const RmspropArrays& before, const RmspropArrays& after, RmspropKind kind,
                    std::size_t i) {
  const double old_p = before.param[i];
  const double g =
      double{before.grad[i]} * kRmspropArgs.grad_scale + kRmspropArgs.weight_decay * old_p;
  const double g_terms = std::abs(double{before.grad[i]} * kRmspropArgs.grad_scale) +
                         std::abs(kRmspropArgs.weight_decay * old_p);
  const double s = double{kRmspropArgs.alpha} * before.square_avg[i] +
                   double{kRmspropArgs.one_minus_alpha} * g * g;
  const double s_terms = double{kRmspropArgs.alpha} * before.square_avg[i] +
                         double{kRmspropArgs.one_minus_alpha} * g_terms * g_terms;
  EXPECT_NEAR(after.square_avg[i], s, 4 * kRmspropEpsilon * s_terms) << "square_avg[" << i << "]";
  const double old_a = before.grad_avg[i];
  const double a = old_a + (g - old_a) * kRmspropArgs.one_minus_alpha;
  if (kind.centered) {
    const double a_terms =
        std::abs(old_a) + (g_terms + std::abs(old_a)) * kRmspropArgs.one_minus_alpha;
    EXPECT_NEAR(after.grad_avg[i], a, 4 * kRmspropEpsilon * a_terms) << "grad_avg[" << i << "]";
  }
  const double root = std::sqrt(kind.centered ? s - a * a : s) + kRmspropArgs.eps;
  const double old_b =
      kind.momentum ? double{kRmspropArgs.momentum} * before.momentum_buffer[i] : 0;
  const double b = old_b + g / root;
  const double b_terms = std::abs(old_b) + g_terms / root;
  if (kind.momentum) {
    EXPECT_NEAR(after.momentum_buffer[i], b, 12 * kRmspropEpsilon * b_terms)
        << "momentum_buffer[" << i << "]";
  }
  EXPECT_NEAR(after.param[i], old_p - kRmspropArgs.lr * b,
              12 * kRmspropEpsilon * (std::abs(old_p) + kRmspropArgs.lr * b_terms))
      << "param[" << i << "]";
}

class RmspropTest : public EachIsa {};

TEST_P(RmspropTest, FollowsTheFormula) {
  for (const RmspropKind kind : kKinds) {
    for (const std::size_t size : ragged_sizes()) {
      const RmspropArrays before = RmspropArrays::random(size);
      RmspropArrays after = before;
      after.update(GetParam(), size, kind);
      for (std::size_t i = 0; i < size; ++i) expect_formula(before, after, kind, i);
      ASSERT_FALSE(HasFailure()) << "size " << size << ", centered " << kind.centered
                                 << ", momentum " << kind.momentum;
    }
  }
}

TEST_P(RmspropTest, GivesTheScalarBitsAtEveryPosition) {
  for (const RmspropKind kind : kKinds) {
    for (const std::size_t size : ragged_sizes()) {
      RmspropArrays actual = RmspropArrays::random(size);
      RmspropArrays expected = actual;
      actual.update(GetParam(), size, kind);
      expected.update(Isa::scalar, size, kind);
      EXPECT_TRUE(actual.square_avg.same_bits(expected.square_avg)) << "size " << size;
      EXPECT_TRUE(actual.grad_avg.same_bits(expected.grad_avg)) << "size " << size;
      EXPECT_TRUE(actual.momentum_buffer.same_bits(expected.momentum_buffer)) << "size " << size;
      EXPECT_TRUE(actual.param.same_bits(expected.param)) << "size " << size;
    }
  }
}

TEST_P(RmspropTest, TouchesNothingElse) {
  for (const std::size_t size : ragged_sizes()) {
    const RmspropArrays before = RmspropArrays::random(size);
    RmspropArrays after = before;
    after.update(GetParam(), size, {true, true});
    EXPECT_TRUE(after.grad.same_bits(before.grad)) << "size " << size;
    for (const GuardedArray* array :
         {&after.grad, &after.square_avg, &after.grad_avg, &after.momentum_buffer, &after.param}) {
      EXPECT_TRUE(array->before_is_intact()) << "size " << size;
    }
  }
}

// Rounding may make the mean square smaller than the square of the mean.
TEST_P(RmspropTest, TakesANegativeVarianceForNone) {
  constexpr std::size_t kSize = 19;
  RmspropArrays arrays{GuardedArray(kSize), GuardedArray(kSize, [] { return 1.0F; }),
                       GuardedArray(kSize, [] { return 2.0F; }), GuardedArray(kSize),
                       GuardedArray(kSize, [] { return -1.5F; })};
  arrays.update(GetParam(), kSize, {true, false});
  const double g = double{kRmspropArgs.weight_decay} * -1.5F;
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_NEAR(arrays.param[i], -1.5 - kRmspropArgs.lr * g / kRmspropArgs.eps, 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, RmspropTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
