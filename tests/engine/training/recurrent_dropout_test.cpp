// Recurrent and Network with dropout of input, layers, output and W_hh: cells, directions,
// projections, ragged lengths, locked masks or not. The truth is the double reference with the
// masks that the scalar kernel draws from the counters that engine/model/dropout.h promises.
// Tolerance: 1e-5 of a tensor's largest element; none where W_hh alone is dropped, beside a network
// whose W_hh is that.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/model/dropout.h"
#include "engine/training/network.h"
#include "engine/training/recurrent.h"
#include "kernels/base/isa.h"
#include "kernels/random/dropout/dropout.h"
#include "tests/support/batches.h"
#include "tests/support/lstm_reference.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using testing::relative_error;

constexpr std::int64_t kDropoutSeqLen = 5;
constexpr std::int64_t kDropoutBatch = 4;
const std::vector<std::int64_t> kDropoutLengths{2, 5, 1, 4};
constexpr DropoutKey kKey{.seed = 0x123456789, .step = 11};

/// `count` factors that follow from the first three words of a counter, and its last.
std::vector<double> draw(double p, std::uint32_t use, std::uint32_t row, std::uint32_t first_block,
                         std::int64_t count) {
  std::vector<float> factors(static_cast<std::size_t>(count), 1.0F);
  const auto threshold = static_cast<std::uint32_t>(std::ceil(static_cast<float>(p) * 0x1p24F));
  kernels::dropout_kernel(kernels::Isa::scalar)(
      {.key = kKey.seed,
       .counter = {use, static_cast<std::uint32_t>(kKey.step), row},
       .first_block = first_block,
       .threshold = threshold,
       .scale = 1 / (1 - static_cast<float>(p))},
      count, factors.data(), factors.data());
  return {factors.begin(), factors.end()};
}

/// Of what goes into layer l, [T, N, width].
std::vector<double> feature_factors(const RecurrentConfig& config, std::int64_t l) {
  const std::int64_t width = config.layer_input_size(l);
  const double p = l == 0 ? config.input_dropout
                          : (l < config.num_layers ? config.dropout : config.output_dropout);
  const auto use = static_cast<std::uint32_t>(RandomUse::dropout) | static_cast<std::uint32_t>(l)
                                                                        << 8;
  std::vector<double> factors;
  for (std::int64_t t = 0; t < kDropoutSeqLen; ++t) {
    for (std::int64_t row = 0; row < kDropoutBatch; ++row) {
      const std::int64_t first_block = config.locked_dropout ? 0 : t * ((width + 3) / 4);
      const auto drawn = draw(p, use, static_cast<std::uint32_t>(row),
                              static_cast<std::uint32_t>(first_block), width);
      factors.insert(factors.end(), drawn.begin(), drawn.end());
    }
  }
  return factors;
}

/// Of the W_hh of a direction of a layer.
std::vector<double> weight_factors(const RecurrentConfig& config, std::int64_t index) {
  const std::int64_t layer = index / config.num_directions();
  const std::int64_t direction = index % config.num_directions();
  const auto use = static_cast<std::uint32_t>(RandomUse::weight_dropout) |
                   static_cast<std::uint32_t>(2 * layer + direction) << 8;
  std::vector<double> factors;
  for (std::int64_t row = 0; row < num_gates(config.cell) * config.hidden_size; ++row) {
    const auto drawn =
        draw(config.weight_dropout, use, static_cast<std::uint32_t>(row), 0, config.h_size());
    factors.insert(factors.end(), drawn.begin(), drawn.end());
  }
  return factors;
}

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

template <typename Values, typename Factors>
void multiply(Values&& values, const Factors& factors) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    values[i] *= static_cast<std::remove_cvref_t<decltype(values[0])>>(factors[i]);
  }
}

struct DropoutCase {
  const char* name;
  RecurrentConfig config;
};

class RecurrentDropoutTest : public ::testing::TestWithParam<DropoutCase> {};

TEST_P(RecurrentDropoutTest, HasTheNumbersOfTheReferenceWithItsMasks) {
  for (const bool locked : {false, true}) {
    RecurrentConfig config = GetParam().config;
    config.locked_dropout = locked;
    testing::Random random(3);
    auto plain = testing::random_lstm_inputs(config, kDropoutSeqLen, kDropoutBatch, random);
    const auto d_outputs =
        testing::random_lstm_gradients(config, kDropoutSeqLen, kDropoutLengths, true, random);
    auto dropped = plain;
    std::vector<std::vector<double>> factors;
    for (std::int64_t l = 0; l <= config.num_layers; ++l) {
      factors.push_back(feature_factors(config, l));
    }
    for (std::size_t i = 0; i < dropped.directions.size(); ++i) {
      multiply(dropped.directions[i].weight_hh,
               weight_factors(config, static_cast<std::int64_t>(i)));
    }
    const testing::LstmReference<double> reference(config, kDropoutSeqLen, kDropoutLengths, dropped,
                                                   factors);
    auto expected = reference.backward(d_outputs);
    for (std::size_t i = 0; i < dropped.directions.size(); ++i) {
      multiply(expected.directions[i].weight_hh,
               weight_factors(config, static_cast<std::int64_t>(i)));
    }

    Arena arena(2);
    Recurrent rnn(config, {.seq_len = kDropoutSeqLen, .batch_size = kDropoutBatch}, arena);
    auto weights = plain.tensors();
    auto gradients = expected.tensors();
    const auto slices = rnn.parameters().slices();
    {
      ParameterEditor editor = rnn.parameters().edit();
      for (std::size_t i = 0; i < slices.size(); ++i) {
        std::ranges::copy(to_floats(*weights[i + 3].second), editor.value(slices[i]).begin());
      }
    }
    const auto x = to_floats(plain.x);
    const bool has_c = config.cell == Cell::lstm;
    const RecurrentStates states{to_floats(plain.h0),
                                 has_c ? to_floats(plain.c0) : std::vector<float>()};
    const RecurrentStates d_states{to_floats(d_outputs.h_n),
                                   has_c ? to_floats(d_outputs.c_n) : std::vector<float>()};
    auto forward = rnn.forward({.x = x,
                                .seq_len = kDropoutSeqLen,
                                .batch = kDropoutBatch,
                                .lengths = kDropoutLengths,
                                .states = &states},
                               kKey);
    EXPECT_LE(relative_error(forward.output(), reference.outputs().output), 1e-5);
    EXPECT_LE(relative_error(forward.final_states().h, reference.outputs().h_n), 1e-5);
    const auto backward = rnn.backward(std::move(forward), to_floats(d_outputs.output), &d_states);
    EXPECT_LE(relative_error(backward.d_input(), expected.x), 1e-5);
    EXPECT_LE(relative_error(backward.d_states().h, expected.h0), 1e-5);
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const auto found = backward.gradient().of(slices[i]);
      EXPECT_LE(relative_error(found, *gradients[i + 3].second), 1e-5) << slices[i].name;
    }
  }
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST_P(RecurrentDropoutTest, DroppedWeightsAreThoseOfAPlainNetwork) {
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    ModelConfig config{.rnn = GetParam().config, .task = Task::tagging, .output_size = 3};
    config.rnn.dropout = config.rnn.input_dropout = config.rnn.output_dropout = 0;
    ModelConfig plain_config = config;
    plain_config.rnn.weight_dropout = 0;
    Arena arena(2);
    const NetworkOptions options{.backend = BackendKind::native, .precision = precision};
    Network network(config, kDropoutSeqLen, kDropoutBatch, arena, options);
    Network plain(plain_config, kDropoutSeqLen, kDropoutBatch, arena, options);
    testing::Random random(5);
    const Batch batch = random_batch(config, kDropoutLengths, random);
    for (Network* one : {&network, &plain}) {
      one->evaluate(batch);  // whose weights, zeros, must not stay
      one->parameters().initialize(3);
    }
    const double evaluated = plain.evaluate(batch).loss;
    std::int64_t index = 0;
    {
      ParameterEditor editor = plain.parameters().edit();
      for (const auto& slice : plain.parameters().slices()) {
        if (slice.name.find("weight_hh") == std::string::npos) continue;
        multiply(editor.value(slice), weight_factors(config.rnn, index++));
      }
    }
    EXPECT_EQ(network.evaluate(batch).loss, evaluated);
    const auto [metrics, gradient] = network.differentiate(batch, kKey);
    const auto [plain_metrics, plain_gradient] = plain.differentiate(batch, kKey);
    EXPECT_EQ(metrics.loss, plain_metrics.loss);
    const double norm = gradient.norm;
    index = 0;
    double square = 0;
    for (const auto& slice : plain.parameters().slices()) {
      const auto of_slice = plain_gradient.of(slice);
      std::vector<float> expected(of_slice.begin(), of_slice.end());
      const auto found = gradient.of(slice);
      if (slice.name.find("weight_hh") != std::string::npos) {
        multiply(std::span(expected), weight_factors(config.rnn, index++));
      }
      EXPECT_TRUE(same_bits(found, expected)) << slice.name;
      for (const double value : expected) square += value * value;
    }
    EXPECT_NEAR(norm, std::sqrt(square), 1e-5 * norm);
    EXPECT_EQ(network.evaluate(batch).loss, evaluated);  // with the plain weights again
    const auto [again, same_gradient] = network.differentiate(batch, kKey);
    EXPECT_EQ(same_gradient.norm, norm);
    EXPECT_NE(network.differentiate(batch, {kKey.seed, kKey.step + 1}).metrics.loss, again.loss);
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentDropoutTest,
                         ::testing::Values(DropoutCase{"Lstm",
                                                       {.input_size = 7,
                                                        .hidden_size = 19,
                                                        .num_layers = 3,
                                                        .dropout = 0.3,
                                                        .input_dropout = 0.2,
                                                        .output_dropout = 0.4,
                                                        .weight_dropout = 0.5}},
                                           DropoutCase{"BidirectionalProjectedLstm",
                                                       {.input_size = 5,
                                                        .hidden_size = 70,
                                                        .num_layers = 2,
                                                        .bidirectional = true,
                                                        .dropout = 0.3,
                                                        .proj_size = 9,
                                                        .input_dropout = 0.2,
                                                        .output_dropout = 0.4,
                                                        .weight_dropout = 0.5}},
                                           DropoutCase{"BidirectionalGru",
                                                       {.input_size = 4,
                                                        .hidden_size = 66,
                                                        .num_layers = 2,
                                                        .bidirectional = true,
                                                        .dropout = 0.3,
                                                        .cell = Cell::gru,
                                                        .input_dropout = 0.2,
                                                        .output_dropout = 0.4,
                                                        .weight_dropout = 0.5}},
                                           DropoutCase{"Rnn",
                                                       {.input_size = 33,
                                                        .hidden_size = 21,
                                                        .num_layers = 2,
                                                        .dropout = 0.3,
                                                        .cell = Cell::rnn_tanh,
                                                        .input_dropout = 0.2,
                                                        .output_dropout = 0.4,
                                                        .weight_dropout = 0.5}}),
                         [](const auto& test) { return test.param.name; });

TEST(DropoutMasksTest, LockedOnesDifferBetweenRowsAndLayersAndKeys) {
  constexpr std::int64_t kWidth = 64;
  const auto drawn = [](const DropoutKey& key, std::int64_t layer, std::int64_t row) {
    std::vector<float> values(kWidth, 1.0F);
    Dropout(0.5, kernels::detected_isa()).features(key, layer, row, 0, values, values.data());
    return values;
  };
  const auto one = drawn(kKey, 0, 0);
  EXPECT_EQ(drawn(kKey, 0, 0), one);
  EXPECT_NE(drawn(kKey, 0, 1), one);
  EXPECT_NE(drawn(kKey, -1, 0), one);
  EXPECT_NE(drawn({kKey.seed, kKey.step + 1}, 0, 0), one);
  EXPECT_NE(drawn({kKey.seed + 1, kKey.step}, 0, 0), one);
}

}  // namespace
}  // namespace quadgate
