// Sweeps 1 to 20 classes, ignored rows, huge and missing logits, and squared errors. Tolerance:
// 1e-6 relative, a few epsilon of the float sums and exponentials behind a loss.

#include "engine/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/numbers.h"

namespace quadgate {
namespace {

constexpr double kTolerance = 1e-6;

TEST(CrossEntropyTest, FollowsTheFormula) {
  testing::Random random(1);
  for (std::int64_t classes = 1; classes <= 20; ++classes) {
    const auto columns = static_cast<std::size_t>(classes);
    const auto logits = random.values(6 * columns, 4);
    std::vector<std::int64_t> labels(6);
    for (auto& label : labels) label = random.integer(0, classes - 1);
    labels[2] = labels[5] = kIgnoredLabel;
    std::vector<float> gradient(logits.size(), NAN);
    const Metrics metrics = cross_entropy(logits.data(), labels, classes, 0.25F, gradient.data());

    double loss = 0;
    std::int64_t correct = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const float* first = &logits[row * columns];
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) sum += std::exp(double{first[c]});
      const bool ignored = labels[row] == kIgnoredLabel;
      const auto label = static_cast<std::size_t>(ignored ? 0 : labels[row]);
      if (!ignored) loss += std::log(sum) - first[label];
      if (!ignored && std::max_element(first, first + classes) == first + label) ++correct;
      for (std::size_t c = 0; c < columns; ++c) {
        const double softmax = std::exp(double{first[c]}) / sum;
        const double expected = ignored ? 0 : (softmax - (c == label ? 1 : 0)) * 0.25;
        EXPECT_NEAR(gradient[row * columns + c], expected, kTolerance);
      }
    }
    EXPECT_EQ(metrics.items, 4);
    EXPECT_EQ(metrics.correct, correct);
    EXPECT_NEAR(metrics.loss, loss, kTolerance * std::max(loss, 1.0));
    EXPECT_EQ(cross_entropy(logits.data(), labels, classes, 0.25F, nullptr).loss, metrics.loss);
  }
}

TEST(CrossEntropyTest, DoesNotOverflow) {
  const std::vector<float> logits{1000, -1000, 999};
  const std::vector<std::int64_t> labels{1};
  std::vector<float> gradient(3);
  const Metrics metrics = cross_entropy(logits.data(), labels, 3, 1, gradient.data());
  EXPECT_NEAR(metrics.loss, 2000 + std::log1p(std::exp(-1)), 2000 * kTolerance);
  EXPECT_NEAR(gradient[0], 1 / (1 + std::exp(-1)), kTolerance);
  EXPECT_EQ(gradient[1], -1);
}

TEST(CrossEntropyTest, ShowsLogitsThatAreNotFinite) {
  const std::vector<std::int64_t> labels{0};
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
    for (std::size_t position = 0; position < 3; ++position) {
      std::vector<float> logits{0, 1, 2};
      logits[position] = bad;
      EXPECT_FALSE(std::isfinite(cross_entropy(logits.data(), labels, 3, 1, nullptr).loss))
          << bad << " at " << position;
    }
  }
}

TEST(SquaredErrorTest, FollowsTheFormula) {
  const std::vector<float> outputs{1, -2, 0.5F};
  const std::vector<float> targets{0.5F, 1, 0.5F};
  std::vector<float> gradient(3, NAN);
  const Metrics metrics = squared_error(outputs, targets, 0.25F, gradient.data());
  EXPECT_EQ(metrics.items, 3);
  EXPECT_DOUBLE_EQ(metrics.loss, 0.25 + 9);
  EXPECT_DOUBLE_EQ(metrics.absolute_error, 0.5 + 3);
  EXPECT_EQ(metrics.correct, 0);
  EXPECT_EQ(gradient, (std::vector<float>{0.25F, -1.5F, 0}));
  EXPECT_EQ(squared_error(outputs, targets, 0.25F, nullptr).loss, metrics.loss);
}

TEST(MetricsTest, AddsUpAndDivides) {
  Metrics sum{.items = 3, .loss = 6, .absolute_error = 1.5, .correct = 2};
  sum += {.items = 1, .loss = 2, .absolute_error = 0.5, .correct = 1};
  EXPECT_EQ(sum.items, 4);
  EXPECT_EQ(sum.mean_loss(), 2);
  EXPECT_EQ(sum.mean_absolute_error(), 0.5);
  EXPECT_EQ(sum.accuracy(), 0.75);
}

}  // namespace
}  // namespace quadgate
