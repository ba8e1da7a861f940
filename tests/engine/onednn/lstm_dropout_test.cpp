// Sweeps keep rates, rows, steps, layers and slices of the masks between layers, and both backends.
// Tolerance: five standard errors for keep rates; 1e-3 of the squared gradient norm for the slope
// along the gradient, a central difference of a float loss over a step that leaves h^2 terms below
// that.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "engine/training/network.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"
#include "tests/support/engine_lstm.h"

namespace quadgate::onednn {
namespace {

using testing::EngineLstm;
using testing::LstmInputs;

constexpr std::int64_t kHidden = 10;
constexpr std::int64_t kSteps = 40;

/// Two layers that show the mask: every unit of layer 0 gives the same h at every step, and unit j
/// of layer 1 gives tanh(tanh(h_j)) of what dropout left of it, without memory.
LstmInputs<double> show_mask(std::int64_t batch) {
  const auto bias = [](double i, double f, double g, double o) {
    std::vector<double> gates;
    for (const double gate : {i, f, g, o}) gates.insert(gates.end(), kHidden, gate);
    return gates;
  };
  const std::vector<double> zero_matrix(4 * kHidden * kHidden);
  const std::vector<double> zero_bias(4 * kHidden);
  auto identity = zero_matrix;
  for (std::size_t j = 0; j < kHidden; ++j) identity[(2 * kHidden + j) * kHidden + j] = 1;
  LstmInputs<double> inputs;
  inputs.x.resize(static_cast<std::size_t>(kSteps * batch));
  inputs.h0.resize(static_cast<std::size_t>(2 * batch * kHidden));
  inputs.c0 = inputs.h0;
  inputs.directions.push_back(
      {std::vector<double>(4 * kHidden), zero_matrix, bias(50, -50, 0.4, 50), zero_bias});
  inputs.directions.push_back({identity, zero_matrix, bias(50, -50, 0, 50), zero_bias});
  return inputs;
}

/// The factors [T, n, H] that dropout has multiplied the output of layer 0 with.
std::vector<double> factors(double dropout, std::int64_t batch, const DropoutMask* mask) {
  EngineLstm lstm({.input_size = 1, .hidden_size = kHidden, .num_layers = 2, .dropout = dropout},
                  kSteps, std::vector(static_cast<std::size_t>(batch), kSteps));
  const auto output = lstm.forward(show_mask(batch), mask).output;
  std::vector<double> factors;
  for (const float value : output) {
    const double factor = std::atanh(std::atanh(double{value})) / std::tanh(std::tanh(0.4));
    factors.push_back(factor < 1e-6 ? 0 : factor);  // the forget gate lets some 1e-22 through
  }
  return factors;
}

TEST(LstmDropoutTest, DropsAtTheRateAndScalesTheRest) {
  for (const double dropout : {0.1, 0.5, 0.8}) {
    const DropoutMask mask{.key = {.seed = 1, .step = 2}, .first_row = 0};
    double kept = 0;
    const auto all = factors(dropout, 50, &mask);
    for (const double factor : all) {
      if (factor == 0) continue;
      EXPECT_NEAR(factor, 1 / (1 - dropout), 1e-4);
      ++kept;
    }
    const auto count = static_cast<double>(all.size());
    EXPECT_NEAR(kept / count, 1 - dropout, 5 * std::sqrt(dropout * (1 - dropout) / count));
  }
}

TEST(LstmDropoutTest, EveryPlaceHasItsOwnNumbers) {
  const DropoutMask mask{.key = {.seed = 1, .step = 2}, .first_row = 0};
  const auto all = factors(0.5, 20, &mask);
  std::set<std::vector<double>> distinct;
  for (std::size_t step = 0; step < kSteps * 20; ++step) {
    distinct.emplace(&all[step * kHidden], &all[step * kHidden] + kHidden);
  }
  // 800 draws of 1024 masks leave 1024 (1 - exp(-800 / 1024)) = 555 different ones, give or
  // take 12.
  EXPECT_NEAR(static_cast<double>(distinct.size()), 555, 60);
}

TEST(LstmDropoutTest, DependsOnSeedAndStep) {
  const DropoutMask mask{.key = {.seed = 1, .step = 2}, .first_row = 0};
  const DropoutMask other_seed{.key = {.seed = 2, .step = 2}, .first_row = 0};
  const DropoutMask other_step{.key = {.seed = 1, .step = 3}, .first_row = 0};
  const auto expected = factors(0.5, 3, &mask);
  EXPECT_EQ(factors(0.5, 3, &mask), expected);
  EXPECT_NE(factors(0.5, 3, &other_seed), expected);
  EXPECT_NE(factors(0.5, 3, &other_step), expected);
}

TEST(LstmDropoutTest, ARowHasTheSameMaskInEveryShard) {
  const DropoutMask of_all{.key = {.seed = 1, .step = 2}, .first_row = 0};
  const DropoutMask of_second{.key = {.seed = 1, .step = 2}, .first_row = 4};
  const auto all = factors(0.5, 6, &of_all);
  const auto second = factors(0.5, 2, &of_second);
  for (std::size_t t = 0; t < kSteps; ++t) {
    for (std::size_t i = 0; i < 2 * kHidden; ++i) {
      ASSERT_EQ(second[t * 2 * kHidden + i], all[(t * 6 + 4) * kHidden + i]);
    }
  }
}

TEST(LstmDropoutTest, IsOffWithoutAMask) {
  for (const double factor : factors(0.5, 3, nullptr)) EXPECT_NEAR(factor, 1, 1e-4);
}

/// A small network with dropout, a batch, and a loss under a fixed key.
class NetworkDropoutTest : public ::testing::TestWithParam<std::tuple<bool, BackendKind>> {
 protected:
  NetworkDropoutTest() { network_.parameters().initialize(1); }
  double loss(const DropoutKey& key) {
    return network_.differentiate(batch_, key).metrics.mean_loss();
  }

  ModelConfig config_{.rnn = {.input_size = 4,
                              .hidden_size = 12,
                              .num_layers = 3,
                              .bidirectional = std::get<bool>(GetParam()),
                              .dropout = 0.4},
                      .task = Task::tagging,
                      .output_size = 3};
  Arena arena_{2};
  testing::Random random_{1};
  Network network_{config_, 7, 11, arena_, {.backend = std::get<BackendKind>(GetParam())}};
  Batch batch_ = random_batch(config_, random_lengths(11, 7, random_), random_);
};

TEST_P(NetworkDropoutTest, TheGradientIsThatOfTheMaskedLoss) {
  const DropoutKey key{.seed = 3, .step = 4};
  const Gradient found = network_.differentiate(batch_, key).gradient;
  const double norm = found.norm;
  const std::vector<float> gradient(found.values.begin(), found.values.end());
  const auto values = network_.parameters().values();
  const std::vector<float> start(values.begin(), values.end());
  const auto loss_at = [&](double distance) {
    {
      ParameterEditor editor = network_.parameters().edit();
      for (std::size_t i = 0; i < start.size(); ++i) {
        editor.values()[i] = start[i] + static_cast<float>(distance / norm) * gradient[i];
      }
    }
    return loss(key);
  };
  constexpr double kStep = 0.02;
  const double slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
  EXPECT_NEAR(slope, norm, 1e-3 * norm);
}

TEST_P(NetworkDropoutTest, IsOffInEvaluationAndDifferentByStep) {
  const double evaluated = network_.evaluate(batch_).mean_loss();
  EXPECT_EQ(network_.evaluate(batch_).mean_loss(), evaluated);
  const double first = loss({.seed = 3, .step = 0});
  EXPECT_NE(first, evaluated);
  EXPECT_NE(first, loss({.seed = 3, .step = 1}));
  EXPECT_NE(first, loss({.seed = 4, .step = 0}));
  EXPECT_EQ(first, loss({.seed = 3, .step = 0}));
  EXPECT_EQ(network_.evaluate(batch_).mean_loss(), evaluated);
}

INSTANTIATE_TEST_SUITE_P(Directions, NetworkDropoutTest,
                         ::testing::Combine(::testing::Bool(), testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(
                               std::get<0>(test.param) ? "Bidirectional" : "Unidirectional",
                               std::get<1>(test.param));
                         });

}  // namespace
}  // namespace quadgate::onednn
