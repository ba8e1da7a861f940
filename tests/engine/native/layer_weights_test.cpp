#include "engine/native/layer_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace quadgate::native {
namespace {

class LayerWeightsTest : public ::testing::Test {
 protected:
  static LayerWeights make(const RecurrentConfig& config, const Parameters& parameters) {
    const kernels::Isa isa = kernels::detected_isa();
    return {cell_kernels(config.cell, kernels::Arithmetic::floats, isa),
            config,
            {.suffix = "_l0", .capacity = 1, .batch_size = 1, .isa = isa},
            parameters};
  }

  static std::vector<float> recurrent_panels(const LayerWeights& weights) {
    const PackedMatrix& matrix = weights.hh().forward();
    const float* const begin = matrix.panel(0);
    return {begin, begin + matrix.depth() * weights.panels().cell.width()};
  }
};

TEST_F(LayerWeightsTest, TasksTakeOverEachParameterOnce) {
  const RecurrentConfig config{.input_size = 5, .hidden_size = 40};
  const Parameters parameters(config);
  LayerWeights weights = make(config, parameters);
  std::vector<PackTask> tasks;
  weights.add_input_pack_tasks(tasks);
  weights.add_recurrent_pack_tasks(tasks);
  std::vector<int> seen(parameters.values().size());
  for (const auto& task : tasks) {
    for (const auto& range : task.parameters) {
      for (std::size_t i = range.begin; i < range.begin + range.size; ++i) ++seen[i];
    }
  }
  std::vector<int> expected(seen.size());
  for (const auto& slice : parameters.slices()) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(slice.offset), slice.size, 1);
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(LayerWeightsTest, TheGatesStartAtTheSumOfTheirBiases) {
  // The third gate of a GRU has its two biases in slots of their own.
  const RecurrentConfig config{.input_size = 1, .hidden_size = 2, .cell = Cell::gru};
  Parameters parameters(config);
  {
    ParameterEditor editor = parameters.edit();
    std::iota(editor.value("bias_ih_l0").begin(), editor.value("bias_ih_l0").end(), 1.0F);
    std::iota(editor.value("bias_hh_l0").begin(), editor.value("bias_hh_l0").end(), 10.0F);
  }
  LayerWeights weights = make(config, parameters);
  std::vector<PackTask> tasks;
  weights.add_input_pack_tasks(tasks);
  weights.add_recurrent_pack_tasks(tasks);
  for (const auto& task : tasks) task.run();
  const std::int64_t units = weights.panels().cell.units;
  const auto of_unit_1 = [&](std::int64_t slot) {
    return units == 1 ? weights.bias(1)[slot] : weights.bias(0)[slot * units + 1];
  };
  EXPECT_EQ(of_unit_1(0), 6);       // n, of the input
  EXPECT_EQ(of_unit_1(1), 2 + 11);  // r
  EXPECT_EQ(of_unit_1(2), 4 + 13);  // z
  EXPECT_EQ(of_unit_1(3), 15);      // n, of h
}

TEST_F(LayerWeightsTest, PacksTheRecurrentWeightsDroppedOrAsTheyAre) {
  const RecurrentConfig config{.input_size = 3, .hidden_size = 8, .weight_dropout = 0.5};
  Parameters parameters(config);
  parameters.initialize(1);
  LayerWeights weights = make(config, parameters);
  ASSERT_TRUE(weights.drops_recurrent());
  const DropoutKey key{.seed = 1, .step = 2};
  const auto pack = [&](const DropoutKey* dropout) {
    for (std::int64_t i = 0; i < weights.hh().pieces(); ++i) weights.pack_recurrent(i, dropout);
    return recurrent_panels(weights);
  };
  const std::vector<float> plain = pack(nullptr);
  const std::vector<float> dropped = pack(&key);
  EXPECT_GT(std::ranges::count(dropped, 0.0F), std::ranges::count(plain, 0.0F));
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(dropped[i] == 0 || dropped[i] == 2 * plain[i]) << i;
  }
  EXPECT_EQ(pack(nullptr), plain);
}

}  // namespace
}  // namespace quadgate::native
