// Sweeps SGD with and without momentum and Nesterov's, Adam, AdamW and RMSprop, with and without
// weight decay, over 10 steps of 40,000 parameters (three tiles). Tolerance: 1e-5 of the largest
// parameter, for ten roundings of the state to float; none between numbers of threads and for
// resuming.

#include "engine/training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "engine/base/error.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using OptimizerKind = OptimizerConfig::Kind;

constexpr std::size_t kSize = 40000;
constexpr float kScale = 0.5F;

/// torch.optim.SGD, Adam, AdamW and RMSprop in double, as their documentation writes them.
struct ReferenceOptimizer {
  void step(std::vector<double>& values, const std::vector<float>& gradients) {
    ++steps;
    for (const char* name :
         {"momentum_buffer", "square_avg", "grad_avg", "exp_avg", "exp_avg_sq"}) {
      states[name].resize(values.size());
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      double g = double{gradients[i]} * kScale;
      double& value = values[i];
      if (config.kind == OptimizerKind::adamw) {
        value -= config.lr * config.weight_decay * value;
      } else {
        g += config.weight_decay * value;
      }
      if (config.kind == OptimizerKind::sgd) {
        double& b = states["momentum_buffer"][i];
        b = steps == 1 ? g : config.momentum * b + g;
        const double along = config.nesterov ? g + config.momentum * b : b;
        value -= config.lr * (config.momentum > 0 ? along : g);
        continue;
      }
      if (config.kind == OptimizerKind::rmsprop) {
        double& s = states["square_avg"][i];
        double& a = states["grad_avg"][i];
        double& b = states["momentum_buffer"][i];
        s = config.alpha * s + (1 - config.alpha) * g * g;
        a = config.alpha * a + (1 - config.alpha) * g;
        const double root = std::sqrt(config.centered ? s - a * a : s) + config.eps;
        b = config.momentum * b + g / root;
        value -= config.lr * b;
        continue;
      }
      const auto& [beta1, beta2] = config.betas;
      double& m_sum = states["exp_avg"][i];
      double& v_sum = states["exp_avg_sq"][i];
      m_sum = beta1 * m_sum + (1 - beta1) * g;
      v_sum = beta2 * v_sum + (1 - beta2) * g * g;
      const double m = m_sum / (1 - std::pow(beta1, steps));
      const double v = v_sum / (1 - std::pow(beta2, steps));
      value -= config.lr * m / (std::sqrt(v) + config.eps);
    }
  }

  OptimizerConfig config;
  int steps = 0;
  std::map<std::string_view, std::vector<double>> states;
};

class OptimizerTest : public ::testing::TestWithParam<OptimizerConfig> {
 protected:
  std::vector<float> start() const { return testing::Random(1).values(kSize); }
  std::vector<float> gradients(int step) const {
    return testing::Random(static_cast<std::uint32_t>(100 + step)).values(kSize);
  }
  void run(Optimizer& optimizer, std::vector<float>& values, int first, int last, int threads = 2) {
    Arena arena(threads);
    for (int step = first; step < last; ++step) {
      const auto gradient = gradients(step);
      optimizer.step(arena, values, {.values = gradient}, kScale);
    }
  }
};

TEST_P(OptimizerTest, FollowsTheFormula) {
  auto values = start();
  std::vector<double> expected(values.begin(), values.end());
  Optimizer optimizer(GetParam(), kSize);
  ReferenceOptimizer reference{.config = GetParam(), .states = {}};
  run(optimizer, values, 0, 10);
  for (int step = 0; step < 10; ++step) reference.step(expected, gradients(step));
  EXPECT_EQ(optimizer.steps(), 10);
  EXPECT_LE(testing::relative_error(values, expected), 1e-5);
  for (const Optimizer::State& state : optimizer.states()) {
    EXPECT_LE(testing::relative_error(state.array.span(), reference.states[state.name]), 1e-5)
        << state.name;
  }
}

TEST_P(OptimizerTest, GivesTheSameBitsOnEveryNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3, 4}) {
    results.push_back(start());
    Optimizer optimizer(GetParam(), kSize);
    run(optimizer, results.back(), 0, 3, threads);
    EXPECT_EQ(results.back(), results[0]);
  }
}

TEST_P(OptimizerTest, ResumesFromItsStateWithTheSameBits) {
  auto expected = start();
  Optimizer whole(GetParam(), kSize);
  run(whole, expected, 0, 6);

  auto values = start();
  Optimizer before(GetParam(), kSize);
  run(before, values, 0, 3);
  Optimizer after(GetParam(), kSize);
  after.set_steps(before.steps());
  for (std::size_t i = 0; i < before.states().size(); ++i) {
    std::ranges::copy(before.states()[i].array.span(), after.states()[i].array.data());
  }
  run(after, values, 3, 6);
  EXPECT_EQ(values, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, OptimizerTest,
    ::testing::Values(
        OptimizerConfig{.kind = OptimizerKind::sgd, .lr = 0.1, .clip_norm = {}},
        OptimizerConfig{
            .kind = OptimizerKind::sgd, .lr = 0.1, .weight_decay = 0.1, .clip_norm = {}},
        OptimizerConfig{.kind = OptimizerKind::sgd,
                        .lr = 0.1,
                        .momentum = 0.9,
                        .weight_decay = 0.1,
                        .clip_norm = {}},
        OptimizerConfig{.kind = OptimizerKind::adam, .lr = 0.01, .clip_norm = {}},
        OptimizerConfig{
            .kind = OptimizerKind::adam, .lr = 0.01, .weight_decay = 0.1, .clip_norm = {}},
        OptimizerConfig{.kind = OptimizerKind::adamw,
                        .lr = 0.01,
                        .betas = {0.8, 0.99},
                        .eps = 1e-3,
                        .weight_decay = 0.1,
                        .clip_norm = {}},
        OptimizerConfig{.kind = OptimizerKind::sgd, .lr = 0.1, .momentum = 0.9, .nesterov = true},
        OptimizerConfig{.kind = OptimizerKind::rmsprop, .lr = 0.01},
        OptimizerConfig{.kind = OptimizerKind::rmsprop,
                        .lr = 0.01,
                        .momentum = 0.5,
                        .alpha = 0.9,
                        .eps = 1e-3,
                        .weight_decay = 0.1},
        // eps: where the variance is nearly 0, its rounding would be divided by.
        OptimizerConfig{.kind = OptimizerKind::rmsprop,
                        .lr = 0.01,
                        .momentum = 0.5,
                        .centered = true,
                        .eps = 1e-2}));

TEST(OptimizerStatesTest, HavePyTorchsNames) {
  OptimizerConfig config{.kind = OptimizerKind::sgd, .clip_norm = {}};
  EXPECT_TRUE(Optimizer(config, 3).states().empty());
  config.momentum = 0.9;
  Optimizer sgd(config, 3);
  ASSERT_EQ(sgd.states().size(), 1);
  EXPECT_EQ(sgd.states()[0].name, "momentum_buffer");
  config.kind = OptimizerKind::adamw;
  Optimizer adamw(config, 3);
  ASSERT_EQ(adamw.states().size(), 2);
  EXPECT_EQ(adamw.states()[0].name, "exp_avg");
  EXPECT_EQ(adamw.states()[1].name, "exp_avg_sq");
  EXPECT_EQ(adamw.states()[1].array.size(), 3);
  config.kind = OptimizerKind::rmsprop;
  config.centered = true;
  Optimizer rmsprop(config, 3);
  ASSERT_EQ(rmsprop.states().size(), 3);
  EXPECT_EQ(rmsprop.states()[0].name, "square_avg");
  EXPECT_EQ(rmsprop.states()[1].name, "grad_avg");
  EXPECT_EQ(rmsprop.states()[2].name, "momentum_buffer");
}

TEST(OptimizerStatesTest, RefusesImpossibleSettings) {
  EXPECT_THROW(Optimizer({.lr = -1, .clip_norm = {}}, 3), InvalidArgument);
}

}  // namespace
}  // namespace quadgate
