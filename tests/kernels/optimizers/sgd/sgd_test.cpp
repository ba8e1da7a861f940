// Sweeps sizes 0 to 100 and a few thousands, all ending at a page that may not be touched, with and
// without momentum, Nesterov's too, on every ISA. Tolerance: 4 epsilon of the terms' magnitudes,
// for the 2 to 5 roundings of half an epsilon on the way to a result; between ISAs none, as they
// round alike.

#include "kernels/optimizers/sgd/sgd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

constexpr double kSgdTolerance = 4.0 * std::numeric_limits<float>::epsilon();
constexpr SgdArgs kSgdArgs{
    .grad_scale = 0.37F, .weight_decay = 0.05F, .momentum = 0.9F, .lr = 0.1F};

enum class Momentum { none, classic, nesterov };
constexpr Momentum kMomentums[] = {Momentum::none, Momentum::classic, Momentum::nesterov};

/// The arrays of a step, with random values.
struct SgdArrays {
  GuardedArray grad;
  GuardedArray momentum_buffer;
  GuardedArray param;

  static SgdArrays random(std::size_t size) {
    std::mt19937 engine(static_cast<std::mt19937::result_type>(size));
    std::normal_distribution<float> normal;
    const auto any = [&] { return normal(engine); };
    return {GuardedArray(size, any), GuardedArray(size, any), GuardedArray(size, any)};
  }

  void update(Isa isa, std::size_t size, Momentum momentum) {
    SgdArgs args = kSgdArgs;
    args.nesterov = momentum == Momentum::nesterov;
    sgd_kernel(isa)(static_cast<std::int64_t>(size), args, grad.data(),
                    momentum == Momentum::none ? nullptr : momentum_buffer.data(), param.data());
  }
};

/// Checks element `i` of `after` against the formula in double, applied to `before`.
void expect_formula(const SgdArrays& before, const SgdArrays& after, Momentum momentum,
                    std::size_t i) {
  const double old_p = before.param[i];
  const double g = double{before.grad[i]} * kSgdArgs.grad_scale + kSgdArgs.weight_decay * old_p;
  const double g_terms = std::abs(double{before.grad[i]} * kSgdArgs.grad_scale) +
                         std::abs(kSgdArgs.weight_decay * old_p);
  const double old_b =
      momentum == Momentum::none ? 0.0 : double{kSgdArgs.momentum} * before.momentum_buffer[i];
  const double b = old_b + g;
  const double b_terms = std::abs(old_b) + g_terms;
  const bool nesterov = momentum == Momentum::nesterov;
  const double direction = nesterov ? g + kSgdArgs.momentum * b : b;
  const double terms = nesterov ? g_terms + kSgdArgs.momentum * b_terms : b_terms;
  EXPECT_NEAR(after.param[i], old_p - kSgdArgs.lr * direction,
              kSgdTolerance * (std::abs(old_p) + kSgdArgs.lr * terms))
      << "param[" << i << "]";
  if (momentum != Momentum::none) {
    EXPECT_NEAR(after.momentum_buffer[i], b, kSgdTolerance * b_terms)
        << "momentum_buffer[" << i << "]";
  }
}

class SgdTest : public EachIsa {};

TEST_P(SgdTest, FollowsTheFormula) {
  for (const Momentum momentum : kMomentums) {
    for (const std::size_t size : ragged_sizes()) {
      const SgdArrays before = SgdArrays::random(size);
      SgdArrays after = before;
      after.update(GetParam(), size, momentum);
      for (std::size_t i = 0; i < size; ++i) expect_formula(before, after, momentum, i);
      ASSERT_FALSE(HasFailure()) << "size " << size << ", momentum " << static_cast<int>(momentum);
    }
  }
}

TEST_P(SgdTest, GivesTheScalarBitsAtEveryPosition) {
  for (const Momentum momentum : kMomentums) {
    for (const std::size_t size : ragged_sizes()) {
      SgdArrays actual = SgdArrays::random(size);
      SgdArrays expected = actual;
      actual.update(GetParam(), size, momentum);
      expected.update(Isa::scalar, size, momentum);
      EXPECT_TRUE(actual.momentum_buffer.same_bits(expected.momentum_buffer)) << "size " << size;
      EXPECT_TRUE(actual.param.same_bits(expected.param)) << "size " << size;
    }
  }
}

TEST_P(SgdTest, TouchesNothingElse) {
  for (const std::size_t size : ragged_sizes()) {
    const SgdArrays before = SgdArrays::random(size);
    SgdArrays after = before;
    after.update(GetParam(), size, Momentum::nesterov);
    EXPECT_TRUE(after.grad.same_bits(before.grad)) << "size " << size;
    EXPECT_TRUE(after.grad.before_is_intact()) << "size " << size;
    EXPECT_TRUE(after.momentum_buffer.before_is_intact()) << "size " << size;
    EXPECT_TRUE(after.param.before_is_intact()) << "size " << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, SgdTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
