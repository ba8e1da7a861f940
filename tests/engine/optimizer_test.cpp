// Sweeps SGD with and without momentum, Adam and AdamW, with and without weight decay, over 10
// steps of 40,000 parameters (three tiles). Tolerance: 1e-5 of the largest parameter, for ten
// roundings of the state to float; none between numbers of threads and for resuming.

#include "engine/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/error.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using Kind = OptimizerConfig::Kind;

constexpr std::size_t kSize = 40000;
constexpr float kScale = 0.5F;

/// torch.optim.SGD, Adam and AdamW in double, as their documentation writes them.
struct ReferenceOptimizer {
  void step(std::vector<double>& values, const std::vector<float>& gradients) {
    ++steps;
    first.resize(values.size());
    second.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      double g = double{gradients[i]} * kScale;
      double& value = values[i];
      if (config.kind == Kind::adamw) {
        value -= config.lr * config.weight_decay * value;
      } else {
        g += config.weight_decay * value;
      }
      if (config.kind == Kind::sgd) {
        first[i] = steps == 1 ? g : config.momentum * first[i] + g;
        value -= config.lr * (config.momentum > 0 ? first[i] : g);
        continue;
      }
      first[i] = config.beta1 * first[i] + (1 - config.beta1) * g;
      second[i] = config.beta2 * second[i] + (1 - config.beta2) * g * g;
      const double m = first[i] / (1 - std::pow(config.beta1, steps));
      const double v = second[i] / (1 - std::pow(config.beta2, steps));
      value -= config.lr * m / (std::sqrt(v) + config.eps);
    }
  }

  OptimizerConfig config;
  int steps = 0;
  std::vector<double> first, second;
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
      optimizer.step(arena, values, gradients(step), kScale);
    }
  }
};

TEST_P(OptimizerTest, FollowsTheFormula) {
  auto values = start();
  std::vector<double> expected(values.begin(), values.end());
  Optimizer optimizer(GetParam(), kSize);
  ReferenceOptimizer reference{.config = GetParam(), .first = {}, .second = {}};
  run(optimizer, values, 0, 10);
  for (int step = 0; step < 10; ++step) reference.step(expected, gradients(step));
  EXPECT_EQ(optimizer.steps(), 10);
  EXPECT_LE(testing::relative_error(values, expected), 1e-5);
  if (!optimizer.states().empty()) {
    EXPECT_LE(testing::relative_error(optimizer.states()[0].array.span(), reference.first), 1e-5);
  }
  if (optimizer.states().size() > 1) {
    EXPECT_LE(testing::relative_error(optimizer.states()[1].array.span(), reference.second), 1e-5);
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
        OptimizerConfig{.kind = Kind::sgd, .lr = 0.1, .clip_norm = {}},
        OptimizerConfig{.kind = Kind::sgd, .lr = 0.1, .weight_decay = 0.1, .clip_norm = {}},
        OptimizerConfig{
            .kind = Kind::sgd, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .clip_norm = {}},
        OptimizerConfig{.kind = Kind::adam, .lr = 0.01, .clip_norm = {}},
        OptimizerConfig{.kind = Kind::adam, .lr = 0.01, .weight_decay = 0.1, .clip_norm = {}},
        OptimizerConfig{.kind = Kind::adamw,
                        .lr = 0.01,
                        .beta1 = 0.8,
                        .beta2 = 0.99,
                        .eps = 1e-3,
                        .weight_decay = 0.1,
                        .clip_norm = {}}));

TEST(OptimizerStatesTest, HavePyTorchsNames) {
  OptimizerConfig config{.kind = Kind::sgd, .clip_norm = {}};
  EXPECT_TRUE(Optimizer(config, 3).states().empty());
  config.momentum = 0.9;
  Optimizer sgd(config, 3);
  ASSERT_EQ(sgd.states().size(), 1);
  EXPECT_EQ(sgd.states()[0].name, "momentum_buffer");
  config.kind = Kind::adamw;
  Optimizer adamw(config, 3);
  ASSERT_EQ(adamw.states().size(), 2);
  EXPECT_EQ(adamw.states()[0].name, "exp_avg");
  EXPECT_EQ(adamw.states()[1].name, "exp_avg_sq");
  EXPECT_EQ(adamw.states()[1].array.size(), 3);
}

TEST(OptimizerStatesTest, RefusesImpossibleSettings) {
  EXPECT_THROW(Optimizer({.lr = -1, .clip_norm = {}}, 3), InvalidArgument);
}

}  // namespace
}  // namespace quadgate
