// Sweeps sizes 0 to 100 and a few thousands, all ending at a page that may not be touched, for Adam
// and AdamW, on every ISA. Tolerance: 4 epsilon of the terms' magnitudes, for the 3 to 6 roundings
// of half an epsilon on the way to a result; between ISAs none, as they round alike.

#include "kernels/optimizers/adam/adam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

constexpr double kAdamTolerance = 4.0 * std::numeric_limits<float>::epsilon();

/// Arguments of step 3 with lr 1e-2, betas 0.9 and 0.999, and both ways of weight decay.
AdamArgs some_args() {
  AdamArgs args{};
  args.grad_scale = 0.37F;
  args.weight_decay = 0.05F;
  args.param_scale = 1.0F - 1e-2F * 0.1F;
  args.one_minus_beta1 = 0.1F;
  args.beta2 = 0.999F;
  args.one_minus_beta2 = 0.001F;
  args.step_size = static_cast<float>(1e-2 / (1.0 - std::pow(0.9, 3)));
  args.inv_sqrt_bias_correction2 = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(0.999, 3)));
  args.eps = 1e-8F;
  return args;
}

/// The four arrays of a step, with values as they are in training.
struct AdamArrays {
  GuardedArray grad;
  GuardedArray exp_avg;
  GuardedArray exp_avg_sq;
  GuardedArray param;

  static AdamArrays random(std::size_t size) {
    std::mt19937 engine(static_cast<std::mt19937::result_type>(size));
    std::normal_distribution<float> normal;
    const auto any = [&] { return normal(engine); };
    return {GuardedArray(size, any), GuardedArray(size, any),
            GuardedArray(size, [&] { return 1e-3F + 1e-2F * std::abs(any()); }),
            GuardedArray(size, any)};
  }

  void update(Isa isa, std::size_t size, const AdamArgs& args) {
    adam_kernel(isa)(static_cast<std::int64_t>(size), args, grad.data(), exp_avg.data(),
                     exp_avg_sq.data(), param.data());
  }
};

/// Checks element `i` of `after` against the formula in double, applied to `before`.
void expect_formula(const AdamArgs& args, const AdamArrays& before, const AdamArrays& after,
                    std::size_t i) {
  const double decayed = double{before.param[i]} * args.param_scale;
  const double scaled_grad = double{before.grad[i]} * args.grad_scale;
  const double g = scaled_grad + args.weight_decay * decayed;
  const double old_m = before.exp_avg[i];
  const double m = old_m + (g - old_m) * args.one_minus_beta1;
  const double v = double{args.beta2} * before.exp_avg_sq[i] + args.one_minus_beta2 * g * g;
  const double denominator = std::sqrt(v) * args.inv_sqrt_bias_correction2 + args.eps;
  const double p = decayed - args.step_size * (m / denominator);

  const double g_terms = std::abs(scaled_grad) + std::abs(args.weight_decay * decayed);
  const double m_terms = std::abs(old_m) + (g_terms + std::abs(old_m)) * args.one_minus_beta1;
  const double v_terms =
      double{args.beta2} * before.exp_avg_sq[i] + args.one_minus_beta2 * g_terms * g_terms;
  const double p_terms = std::abs(decayed) + args.step_size * (m_terms / denominator);
  EXPECT_NEAR(after.exp_avg[i], m, kAdamTolerance * m_terms) << "exp_avg[" << i << "]";
  EXPECT_NEAR(after.exp_avg_sq[i], v, kAdamTolerance * v_terms) << "exp_avg_sq[" << i << "]";
  EXPECT_NEAR(after.param[i], p, kAdamTolerance * p_terms) << "param[" << i << "]";
}

class AdamTest : public EachIsa {};

TEST_P(AdamTest, FollowsTheFormula) {
  AdamArgs adam = some_args();
  adam.param_scale = 1.0F;
  AdamArgs adamw = some_args();
  adamw.weight_decay = 0.0F;
  for (const AdamArgs& args : {adam, adamw, some_args()}) {
    for (const std::size_t size : ragged_sizes()) {
      const AdamArrays before = AdamArrays::random(size);
      AdamArrays after = before;
      after.update(GetParam(), size, args);
      for (std::size_t i = 0; i < size; ++i) expect_formula(args, before, after, i);
      ASSERT_FALSE(HasFailure()) << "size " << size;
    }
  }
}

TEST_P(AdamTest, GivesTheScalarBitsAtEveryPosition) {
  for (const std::size_t size : ragged_sizes()) {
    AdamArrays actual = AdamArrays::random(size);
    AdamArrays expected = actual;
    actual.update(GetParam(), size, some_args());
    expected.update(Isa::scalar, size, some_args());
    EXPECT_TRUE(actual.exp_avg.same_bits(expected.exp_avg)) << "size " << size;
    EXPECT_TRUE(actual.exp_avg_sq.same_bits(expected.exp_avg_sq)) << "size " << size;
    EXPECT_TRUE(actual.param.same_bits(expected.param)) << "size " << size;
  }
}

TEST_P(AdamTest, TouchesNothingElse) {
  for (const std::size_t size : ragged_sizes()) {
    const AdamArrays before = AdamArrays::random(size);
    AdamArrays after = before;
    after.update(GetParam(), size, some_args());
    EXPECT_TRUE(after.grad.same_bits(before.grad)) << "size " << size;
    EXPECT_TRUE(after.grad.before_is_intact()) << "size " << size;
    EXPECT_TRUE(after.exp_avg.before_is_intact()) << "size " << size;
    EXPECT_TRUE(after.exp_avg_sq.before_is_intact()) << "size " << size;
    EXPECT_TRUE(after.param.before_is_intact()) << "size " << size;
  }
}

TEST_P(AdamTest, LeavesParametersWithoutGradientAlone) {
  AdamArgs args = some_args();
  args.weight_decay = 0.0F;
  args.param_scale = 1.0F;
  const std::size_t size = 37;
  AdamArrays arrays{GuardedArray(size), GuardedArray(size), GuardedArray(size),
                    GuardedArray(size, [] { return -1.5F; })};
  const GuardedArray before = arrays.param;
  arrays.update(GetParam(), size, args);
  EXPECT_TRUE(arrays.param.same_bits(before));
}

INSTANTIATE_TEST_SUITE_P(Isa, AdamTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
