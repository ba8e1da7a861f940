// Sweeps hidden sizes around the vector lengths, 1 to 13 rows, with and without previous states and
// a gradient from above, on every ISA; the arrays end at a page that may
// not be touched. Tolerance: 1e-6, a few roundings of values up to 3 and of sums of up to 100
// products that come to about 1; between ISAs and cuts of the rows none. The derivatives are
// those of a complex step.

#include "kernels/cells/lstm/lstm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>

#include "tests/kernels/cells/lstm/lstm_step.h"
#include "tests/kernels/each_isa.h"

namespace quadgate::kernels {
namespace {

constexpr double kTolerance = 1e-6;
constexpr std::int64_t kHiddenSizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100};

/// The cell in one unit, as PyTorch's documentation writes it.
template <typename T>
struct Unit {
  T i, f, g, o, c, h;

  Unit(const std::array<T, 4>& a, T c_prev)
      : i(sigmoid(a[0])),
        f(sigmoid(a[1])),
        g(std::tanh(a[2])),
        o(sigmoid(a[3])),
        c(f * c_prev + i * g),
        h(o * std::tanh(c)) {}

  static T sigmoid(T a) { return T(1) / (T(1) + std::exp(-a)); }
};

class LstmKernelTest : public EachIsa {
 protected:
  /// Calls body(step, call) for every shape, with and without states before it.
  template <typename Body>
  void sweep(Body body) {
    for (const std::int64_t hidden_size : kHiddenSizes) {
      for (std::int64_t rows = 1; rows <= 13; ++rows) {
        const LstmStep step(rows, hidden_size);
        for (const bool with_states : {false, true}) {
          body(step, LstmCall{.isa = GetParam(), .states = with_states});
          ASSERT_FALSE(HasFailure())
              << rows << " rows, hidden size " << hidden_size << ", states " << with_states;
        }
      }
    }
  }
};

TEST_P(LstmKernelTest, ForwardFollowsTheFormula) {
  sweep([](const LstmStep& step, const LstmCall& call) {
    const LstmResult result = step.forward(call);
    step.for_each_unit([&](std::int64_t row, std::int64_t unit) {
      const double c_prev = call.states ? step.c_prev[step.at(row, unit)] : 0.0;
      const Unit<double> expected(step.summed(call.states, row, unit), c_prev);
      EXPECT_NEAR(result.gates[step.gate_at(row, 0, unit)], expected.i, kTolerance);
      EXPECT_NEAR(result.gates[step.gate_at(row, 1, unit)], expected.f, kTolerance);
      EXPECT_NEAR(result.gates[step.gate_at(row, 2, unit)], expected.g, kTolerance);
      EXPECT_NEAR(result.gates[step.gate_at(row, 3, unit)], expected.o, kTolerance);
      EXPECT_NEAR(result.c[step.at(row, unit)], expected.c, kTolerance);
      EXPECT_NEAR(result.h[step.at(row, unit)], expected.h, kTolerance);
    });
  });
}

// With the loss dc c + (dh + dy) h, of which the kernel gives the derivatives.
TEST_P(LstmKernelTest, BackwardGivesTheDerivativesOfTheFormula) {
  sweep([](const LstmStep& step, LstmCall call) {
    call.dy = step.dh.size() % 2 == 0;
    const LstmResult result = step.backward(call, step.forward(call));
    step.for_each_unit([&](std::int64_t row, std::int64_t unit) {
      using Complex = std::complex<double>;
      constexpr double kStep = 1e-30;
      const std::size_t at = step.at(row, unit);
      const auto a = step.summed(call.states, row, unit);
      for (std::size_t input = 0; input < 5; ++input) {
        std::array<Complex, 4> moved{a[0], a[1], a[2], a[3]};
        Complex c_prev = call.states ? step.c_prev[at] : 0.0F;
        (input < 4 ? moved[input] : c_prev) += Complex(0, kStep);
        const Unit<Complex> of(moved, c_prev);
        const double dh = step.dh[at] + (call.dy ? double{step.dy[at]} : 0.0);
        const double expected = (of.c.imag() * step.dc[at] + of.h.imag() * dh) / kStep;
        const auto gate = static_cast<std::int64_t>(input);
        const float actual =
            input < 4 ? result.gates[step.gate_at(row, gate, unit)] : result.dc[at];
        EXPECT_NEAR(actual, expected, kTolerance) << "with respect to input " << input;
      }
    });
  });
}

TEST_P(LstmKernelTest, GivesTheScalarBitsAtEveryCutOfTheRows) {
  sweep([](const LstmStep& step, const LstmCall& call) {
    const LstmResult expected = step.forward({.isa = Isa::scalar, .states = call.states});
    const LstmResult d_expected =
        step.backward({.isa = Isa::scalar, .states = call.states}, expected);
    for (const bool row_by_row : {false, true}) {
      const LstmCall cut{.isa = call.isa, .states = call.states, .row_by_row = row_by_row};
      EXPECT_TRUE(step.forward(cut).same_bits(expected)) << "row by row: " << row_by_row;
      EXPECT_TRUE(step.backward(cut, expected).same_bits(d_expected))
          << "row by row: " << row_by_row;
    }
  });
}

TEST_P(LstmKernelTest, GivesTheSameBitsToPanelsInPairs) {
  for (const std::int64_t hidden_size : kHiddenSizes) {
    const LstmStep step(1, hidden_size);
    const LstmResult expected = step.forward({.isa = GetParam()});
    EXPECT_TRUE(step.forward({.isa = GetParam(), .in_pairs = true}).same_bits(expected))
        << "hidden size " << hidden_size;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, LstmKernelTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
