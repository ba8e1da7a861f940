// Sweeps every 2143rd of all 2^32 floats, which takes in zeros, denormals, infinities and NaNs, and
// ragged sizes up to a page that may not be touched, on every ISA. Tolerance: the bounds in
// the header, in ulp of the result; between ISAs none, as they round alike.

#include "kernels/cells/activation/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

/// One of the functions, and its double reference.
struct Function {
  const char* name;
  ActivationKernel (*kernel)(Isa isa) noexcept;
  double (*reference)(double x);
  double ulps;
};
const Function kFunctions[] = {
    {"sigmoid", sigmoid_kernel, [](double x) { return x < -88.02969 ? 0 : 1 / (1 + std::exp(-x)); },
     5},
    {"tanh", tanh_kernel, [](double x) { return std::tanh(x); }, 3},
};

std::vector<float> run(ActivationKernel kernel, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  kernel(static_cast<std::int64_t>(x.size()), x.data(), y.data());
  return y;
}

/// Every 2143rd float (a prime), and the special ones.
std::vector<float> kinds_of_arguments() {
  using Limits = std::numeric_limits<float>;
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= UINT32_MAX; bits += 2143) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  for (const float value : {0.0F, 1.0F, 88.0F, Limits::denorm_min(), Limits::min(), Limits::max(),
                            Limits::infinity(), Limits::quiet_NaN()}) {
    x.insert(x.end(), {value, -value});
  }
  return x;
}

/// The distance between floats of the size of y.
double ulp(double y) {
  const double normal = std::max(std::abs(y), double{std::numeric_limits<float>::min()});
  return std::ldexp(1, std::ilogb(normal) - 23);
}

class ActivationTest : public EachIsa {};

TEST_P(ActivationTest, IsWithinItsErrorBoundOnAllKindsOfFloats) {
  const auto x = kinds_of_arguments();
  for (const auto& function : kFunctions) {
    const auto y = run(function.kernel(GetParam()), x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(x[i])) {
        ASSERT_TRUE(std::isnan(y[i])) << function.name;
      } else {
        const double expected = function.reference(x[i]);
        ASSERT_NEAR(y[i], expected, function.ulps * ulp(expected))
            << function.name << " of " << x[i];
      }
    }
  }
}

TEST_P(ActivationTest, IsExactAtZeroAndFarOut) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{0, 100, infinity, -100, -infinity};
  EXPECT_EQ(run(sigmoid_kernel(GetParam()), x), (std::vector<float>{0.5F, 1, 1, 0, 0}));
  EXPECT_EQ(run(tanh_kernel(GetParam()), x), (std::vector<float>{0, 1, 1, -1, -1}));
}

TEST_P(ActivationTest, TanhOfASmallNumberIsTheNumber) {
  for (const float x : {1e-40F, 1e-30F, 1e-10F, 9.99417e-5F, 1e-4F, 2.3e-4F}) {
    EXPECT_EQ(run(tanh_kernel(GetParam()), {x, -x}), (std::vector<float>{x, -x}));
  }
}

TEST_P(ActivationTest, GivesTheScalarBits) {
  auto x = kinds_of_arguments();
  std::erase_if(x, [](float value) { return std::isnan(value); });
  for (const auto& function : kFunctions) {
    const auto expected = run(function.kernel(Isa::scalar), x);
    const auto actual = run(function.kernel(GetParam()), x);
    EXPECT_EQ(std::memcmp(actual.data(), expected.data(), x.size() * sizeof(float)), 0)
        << function.name;
  }
}

TEST_P(ActivationTest, TouchesNothingElseAtAnySizeAndMayWorkInPlace) {
  for (const auto& function : kFunctions) {
    for (const std::size_t size : ragged_sizes()) {
      GuardedArray x(size, [next = 0.0F]() mutable { return next += 0.001F; });
      const GuardedArray before = x;
      GuardedArray y(size);
      const auto n = static_cast<std::int64_t>(size);
      function.kernel(GetParam())(n, x.data(), y.data());
      EXPECT_TRUE(x.same_bits(before)) << function.name << ", size " << size;
      EXPECT_TRUE(y.before_is_intact()) << function.name << ", size " << size;
      function.kernel(GetParam())(n, x.data(), x.data());
      EXPECT_TRUE(x.same_bits(y)) << function.name << ", size " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, ActivationTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
