// Sweeps the cells, hidden sizes 1, 3, 8, 17 with 1 to 19 rows (slices of 1 to 5, the last one
// partly empty), 1 to 23 steps, 1 to 3 layers, one and two directions, full and ragged rows, with
// and without initial states and gradients of h_n and c_n. Tolerance: 1e-5 of a tensor's largest
// element (floored at 0.5, for tensors that cancel to less): sums of up to 400 products round to
// some 10 epsilon, and oneDNN's sigmoid and tanh are good to about 1e-6.

#include "engine/onednn/layer.h"

#include <gtest/gtest.h>

#include "tests/support/batches.h"
#include "tests/support/engine_lstm.h"

namespace quadgate::onednn {
namespace {

using testing::EngineLstm;
using testing::LstmReference;
using testing::Random;

constexpr double kLayerTolerance = 1e-5;

/// Expects |actual - expected| <= tolerance * max(largest |expected|, 0.5) everywhere.
void expect_close(const std::vector<float>& actual, const std::vector<double>& expected,
                  const std::string& name) {
  ASSERT_EQ(actual.size(), expected.size()) << name;
  double largest = 0.5;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], kLayerTolerance * largest) << name << "[" << i << "]";
  }
}

/// Runs both twice, the second time with other numbers, so that nothing of the first may stay.
void expect_reference(const RecurrentConfig& config, std::int64_t seq_len,
                      const std::vector<std::int64_t>& lengths, bool states) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  EngineLstm engine(config, seq_len, lengths, 2);
  Random random(1);
  for (int run = 0; run < 2; ++run) {
    auto inputs = random_lstm_inputs(config, seq_len, batch, random);
    if (!states) {
      inputs.h0.assign(inputs.h0.size(), 0);
      inputs.c0.assign(inputs.c0.size(), 0);
    }
    const auto d_outputs = random_lstm_gradients(config, seq_len, lengths, states, random);
    const LstmReference<double> reference(config, seq_len, lengths, inputs);
    const auto outputs = engine.forward(inputs);
    expect_close(outputs.output, reference.outputs().output, "output");
    expect_close(outputs.h_n, reference.outputs().h_n, "h_n");
    if (config.cell == Cell::lstm) expect_close(outputs.c_n, reference.outputs().c_n, "c_n");
    auto actual = engine.backward(d_outputs);
    auto expected = reference.backward(d_outputs);
    const auto actual_tensors = actual.tensors();
    const auto expected_tensors = expected.tensors();
    for (std::size_t i = 0; i < actual_tensors.size(); ++i) {
      if (expected_tensors[i].first == "c0" && config.cell != Cell::lstm) continue;
      expect_close(*actual_tensors[i].second, *expected_tensors[i].second,
                   expected_tensors[i].first);
    }
  }
}

class OnednnLayerTest
    : public ::testing::TestWithParam<std::tuple<Cell, std::int64_t, std::int64_t, bool>> {};

TEST_P(OnednnLayerTest, HasTheReferencesOutputsAndGradients) {
  const auto [cell, hidden_size, num_layers, bidirectional] = GetParam();
  Random random(static_cast<std::uint32_t>(hidden_size));
  for (const std::int64_t batch : {1, 2, 3, 5, 19}) {
    const std::int64_t seq_len = batch == 5 ? 23 : 1 + (batch * 3 + hidden_size) % 7;
    const RecurrentConfig config{.input_size = random.integer(1, 9),
                                 .hidden_size = hidden_size,
                                 .num_layers = num_layers,
                                 .bidirectional = bidirectional,
                                 .cell = cell};
    SCOPED_TRACE(::testing::Message() << "batch " << batch << ", seq_len " << seq_len
                                      << ", input_size " << config.input_size);
    const std::vector full(static_cast<std::size_t>(batch), seq_len);
    expect_reference(config, seq_len, full, false);
    expect_reference(config, seq_len, full, true);
    expect_reference(config, seq_len, testing::random_lengths(batch, seq_len, random), false);
    expect_reference(config, seq_len, testing::random_lengths(batch, seq_len, random), true);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, OnednnLayerTest,
                         ::testing::Combine(::testing::Values(Cell::lstm, Cell::gru, Cell::rnn_tanh,
                                                              Cell::rnn_relu),
                                            ::testing::Values(1, 3, 8, 17),
                                            ::testing::Values(1, 2, 3), ::testing::Bool()),
                         [](const auto& test) {
                           return std::string(to_string(std::get<0>(test.param))) + "Hidden" +
                                  std::to_string(std::get<1>(test.param)) + "Layers" +
                                  std::to_string(std::get<2>(test.param)) +
                                  (std::get<3>(test.param) ? "Bidirectional" : "Unidirectional");
                         });

}  // namespace
}  // namespace quadgate::onednn
