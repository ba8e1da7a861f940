// Outputs and gradients are compared with references in tests/engine/training. What is asked for
// here: that they depend, to the bit, on no one's company.

#include "engine/native/layer_steps.h"

#include <gtest/gtest.h>

#include "tests/support/stack_run.h"

namespace quadgate::native {
namespace {

using testing::StackRun;

RecurrentConfig config_of(Cell cell, std::int64_t proj_size) {
  return {.input_size = 5,
          .hidden_size = 150,
          .num_layers = 2,
          .bidirectional = true,
          .cell = cell,
          .proj_size = proj_size};
}

TEST(LayerStepsTest, RangesAndTeamsOfAnySizeGiveTheSameBits) {
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    for (const auto& config : {config_of(Cell::lstm, 0), config_of(Cell::lstm, 70),
                               config_of(Cell::gru, 0), config_of(Cell::rnn_tanh, 0)}) {
      SCOPED_TRACE(::testing::Message() << to_string(config.cell) << " " << config.proj_size);
      const std::vector<float> alone = StackRun(config, precision, 1).output();
      EXPECT_EQ(StackRun(config, precision, 3).output(), alone) << "three ranges";
      EXPECT_EQ(StackRun(config, precision, 4, 2).output(), alone) << "two ranges, teams of two";
    }
  }
}

}  // namespace
}  // namespace quadgate::native
