// Sweeps hidden sizes 1, 3, 5, 8, 17 with 1 to 5 rows, 1 to 7 steps, 1 to 3 layers, one and two
// directions, full and ragged rows, with and without initial states and gradients of h_n and c_n.
// Tolerance: 1e-5 of a tensor's largest element (floored at 0.1, for tensors that cancel to less):
// sums of up to 100 products round to some 10 epsilon, and oneDNN's sigmoid and tanh are good to
// about 1e-6.

#include "engine/onednn/lstm_stack.h"

#include <gtest/gtest.h>

#include "tests/support/batches.h"
#include "tests/support/engine_lstm.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::onednn {
namespace {

using testing::EngineLstm;
using testing::LstmReference;
using testing::Random;

constexpr double kStackTolerance = 1e-5;

/// Expects |actual - expected| <= tolerance * max(largest |expected|, 0.1) everywhere.
void expect_close(const std::vector<float>& actual, const std::vector<double>& expected,
                  const std::string& name) {
  ASSERT_EQ(actual.size(), expected.size()) << name;
  double largest = 0.1;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], kStackTolerance * largest) << name << "[" << i << "]";
  }
}

/// Copies the padding of `expected` to `actual`, since it has no meaning there.
void copy_padding(const std::vector<std::int64_t>& lengths, const std::vector<double>& expected,
                  std::vector<float>& actual, std::size_t width) {
  for (std::size_t step = 0; step < actual.size() / width; ++step) {
    if (std::cmp_less(step / lengths.size(), lengths[step % lengths.size()])) continue;
    for (std::size_t i = step * width; i < (step + 1) * width; ++i) {
      actual[i] = static_cast<float>(expected[i]);
    }
  }
}

/// Runs both twice, the second time with other numbers, so that nothing of the first may stay.
void expect_reference(const RecurrentConfig& config, std::int64_t seq_len,
                      const std::vector<std::int64_t>& lengths, bool states) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const bool full = std::ranges::all_of(lengths, [&](auto length) { return length == seq_len; });
  EngineLstm engine(config, seq_len, lengths);
  Random random(1);
  for (int run = 0; run < 2; ++run) {
    auto inputs = random_lstm_inputs(config, seq_len, batch, random);
    if (!states) {
      inputs.h0.assign(inputs.h0.size(), 0);
      inputs.c0.assign(inputs.c0.size(), 0);
    }
    const auto d_outputs = random_lstm_gradients(config, seq_len, lengths, states && full, random);
    const LstmReference<double> reference(config, seq_len, lengths, inputs);

    auto outputs = engine.forward(inputs);
    copy_padding(lengths, reference.outputs().output, outputs.output,
                 static_cast<std::size_t>(config.output_size()));
    expect_close(outputs.output, reference.outputs().output, "output");
    if (full) {
      expect_close(outputs.h_n, reference.outputs().h_n, "h_n");
      expect_close(outputs.c_n, reference.outputs().c_n, "c_n");
    }
    auto actual = engine.backward(d_outputs);
    auto expected = reference.backward(d_outputs);
    const auto actual_tensors = actual.tensors();
    const auto expected_tensors = expected.tensors();
    for (std::size_t i = 0; i < actual_tensors.size(); ++i) {
      expect_close(*actual_tensors[i].second, *expected_tensors[i].second,
                   expected_tensors[i].first);
    }
  }
}

class LstmTest : public ::testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, bool>> {};

TEST_P(LstmTest, HasTheReferencesOutputsAndGradients) {
  const auto [hidden_size, num_layers, bidirectional] = GetParam();
  Random random(static_cast<std::uint32_t>(hidden_size));
  for (std::int64_t batch = 1; batch <= 5; ++batch) {
    const std::int64_t seq_len = 1 + (batch * 3 + hidden_size) % 7;
    const RecurrentConfig config{.input_size = random.integer(1, 9),
                                 .hidden_size = hidden_size,
                                 .num_layers = num_layers,
                                 .bidirectional = bidirectional};
    SCOPED_TRACE(::testing::Message() << "batch " << batch << ", seq_len " << seq_len
                                      << ", input_size " << config.input_size);
    const std::vector full(static_cast<std::size_t>(batch), seq_len);
    expect_reference(config, seq_len, full, false);
    expect_reference(config, seq_len, full, true);
    expect_reference(config, seq_len, testing::random_lengths(batch, seq_len, random), true);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LstmTest,
                         ::testing::Combine(::testing::Values(1, 3, 5, 8, 17),
                                            ::testing::Values(1, 2, 3), ::testing::Bool()),
                         [](const auto& test) {
                           return "Hidden" + std::to_string(std::get<0>(test.param)) + "Layers" +
                                  std::to_string(std::get<1>(test.param)) +
                                  (std::get<2>(test.param) ? "Bidirectional" : "Unidirectional");
                         });

TEST(LstmPaddingTest, GivesNoGradientToTheInputAndTakesNoneFromRowsWithoutSteps) {
  const RecurrentConfig config{
      .input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true};
  const std::vector<std::int64_t> lengths{5, 0, 2};
  Random random(1);
  const auto inputs = random_lstm_inputs(config, 5, 3, random);
  EngineLstm engine(config, 5, lengths);
  engine.forward(inputs);
  const auto gradients = engine.backward(random_lstm_gradients(config, 5, lengths, false, random));
  for (std::size_t i = 0; i < gradients.x.size(); ++i) {
    const std::size_t step = i / 3;
    const bool padding = std::cmp_greater_equal(step / 3, lengths[step % 3]);
    EXPECT_EQ(gradients.x[i] == 0, padding) << "step " << step / 3 << " of row " << step % 3;
  }
}

}  // namespace
}  // namespace quadgate::onednn
