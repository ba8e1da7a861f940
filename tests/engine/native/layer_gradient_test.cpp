// The gradients are compared with references in tests/engine/training. What is asked for here: that
// the tiles cover them, and that their size changes no bit.

#include "engine/native/layer_gradient.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/stack_run.h"

namespace quadgate::native {
namespace {

using testing::StackRun;

struct Result {
  std::vector<float> gradient;  // of all parameters, without the gaps between them
  double square = 0;
  std::size_t tasks = 0;
};

Result differentiate(const RecurrentConfig& config, Precision precision, int cores) {
  StackRun run(config, precision, cores);
  Result result{{}, run.differentiate(), run.tasks().tasks().size()};
  for (const auto& slice : run.parameters().slices()) {
    const float* const begin = run.gradient().of(slice);
    result.gradient.insert(result.gradient.end(), begin, begin + slice.size);
  }
  return result;
}

TEST(LayerGradientTest, TilesOfAnySizeCoverAllWeightsAndGiveTheSameBits) {
  const RecurrentConfig lstm{
      .input_size = 70, .hidden_size = 200, .num_layers = 2, .bidirectional = true};
  const RecurrentConfig gru{.input_size = 3, .hidden_size = 90, .cell = Cell::gru, .bias = false};
  const RecurrentConfig projected{.input_size = 9, .hidden_size = 150, .proj_size = 70};
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    for (const auto& config : {lstm, gru, projected}) {
      const Result one = differentiate(config, precision, 1);
      const Result many = differentiate(config, precision, 16);
      EXPECT_LT(one.tasks, many.tasks);
      // Both began as NaN, which equals nothing.
      EXPECT_EQ(one.gradient, many.gradient);
      EXPECT_EQ(one.square, many.square);
      double square = 0;
      for (const float value : one.gradient) square += static_cast<double>(value) * value;
      EXPECT_NEAR(one.square, square, 1e-6 * square);
    }
  }
}

}  // namespace
}  // namespace quadgate::native
