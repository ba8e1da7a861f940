// Sweeps one and two directions with matrices of several tiles of 64 and of less than one, and 1,
// 2 and 5 slices, at 1 to 4 threads. Tolerance: none for the sums, which have one order; 1e-12 for
// the norm, a double sum of some 50,000 squares.

#include "engine/onednn/gradient_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/support/numbers.h"

namespace quadgate::onednn {
namespace {

struct Case {
  ModelConfig config;
  std::size_t slices;
};

class GradientSumTest : public ::testing::TestWithParam<Case> {
 protected:
  GradientSumTest()
      : parameters_(GetParam().config),
        weights_(GetParam().config.rnn, parameters_, 2, 4),
        sum_(GetParam().config.rnn, parameters_, weights_) {
    testing::Random random(1);
    for (std::size_t slice = 0; slice < GetParam().slices; ++slice) {
      slices_.emplace_back(sum_.slice_size());
      const auto values = random.values(sum_.slice_size());
      std::ranges::copy(values, slices_.back().data());
    }
  }

  /// The sum over the slices, in their order, of the float at `position`.
  float at(std::size_t position) const {
    float sum = slices_.front().data()[position];
    for (std::size_t i = 1; i < slices_.size(); ++i) sum += slices_[i].data()[position];
    return sum;
  }

  void expect_matrix(const ParameterSlice& slice, std::size_t offset, std::int64_t stride) {
    for (std::int64_t gate = 0; gate < slice.shape[0]; ++gate) {
      for (std::int64_t k = 0; k < slice.shape[1]; ++k) {
        const auto i = slice.offset + static_cast<std::size_t>(gate * slice.shape[1] + k);
        ASSERT_EQ(gradient_.span()[i], at(offset + static_cast<std::size_t>(k * stride + gate)))
            << slice.name << "[" << gate << ", " << k << "]";
      }
    }
  }
  void expect_as_it_lies(const ParameterSlice& slice, std::size_t offset) {
    for (std::size_t i = 0; i < slice.size; ++i) {
      ASSERT_EQ(gradient_.span()[slice.offset + i], at(offset + i)) << slice.name;
    }
  }

  Parameters parameters_;
  StackWeights weights_;
  GradientSum sum_;
  std::vector<Buffer> slices_;
  Buffer gradient_{parameters_.values().size()};
};

TEST_P(GradientSumTest, PutsEverySumInItsPlace) {
  Arena arena(2);
  std::ranges::fill(gradient_.span(), NAN);
  const double norm = sum_.sum(arena, slices_, gradient_.span());
  const auto slices = parameters_.slices();
  double square = 0;
  for (const auto& slice : slices) {
    for (std::size_t i = slice.offset; i < slice.offset + slice.size; ++i) {
      square += std::pow(gradient_.span()[i], 2.0);
    }
  }
  EXPECT_NEAR(norm, std::sqrt(square), 1e-12 * norm);
  for (std::size_t direction = 0; direction < weights_.directions().size(); ++direction) {
    const auto& layout = weights_.directions()[direction].gradient_layout();
    const std::size_t base = weights_.gradient_offsets()[direction];
    expect_matrix(slices[4 * direction], base + layout.weight_ih, layout.stride_ih);
    expect_matrix(slices[4 * direction + 1], base + layout.weight_hh, layout.stride_hh);
    expect_as_it_lies(slices[4 * direction + 2], base + layout.bias);
    expect_as_it_lies(slices[4 * direction + 3], base + layout.bias);
  }
  expect_as_it_lies(parameters_.head_weight(), sum_.head_weight());
  expect_as_it_lies(parameters_.head_bias(), sum_.head_bias());
}

TEST_P(GradientSumTest, GivesTheSameBitsOnEveryNumberOfThreads) {
  std::vector<float> first;
  double first_norm = 0;
  for (const int threads : {1, 2, 3, 4}) {
    Arena arena(threads);
    const double norm = sum_.sum(arena, slices_, gradient_.span());
    const auto gradients = gradient_.span();
    if (first.empty()) {
      first.assign(gradients.begin(), gradients.end());
      first_norm = norm;
    }
    EXPECT_EQ(std::memcmp(first.data(), gradients.data(), gradients.size_bytes()), 0) << threads;
    EXPECT_EQ(norm, first_norm) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, GradientSumTest,
    ::testing::Values(
        Case{{.rnn = {.input_size = 1, .hidden_size = 1}, .output_size = 1}, 1},
        Case{{.rnn = {.input_size = 70, .hidden_size = 40}, .output_size = 130}, 2},
        Case{{.rnn = {.input_size = 5, .hidden_size = 19, .num_layers = 2, .bidirectional = true},
              .output_size = 3},
             5}));

}  // namespace
}  // namespace quadgate::onednn
