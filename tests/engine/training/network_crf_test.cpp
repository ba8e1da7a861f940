// Sweeps batches of 1 to 21 sequences of 1 to 6 steps, teams and a tied embedding: loss, correct
// tags and gradients of a network with a conditional random field, against all taggings in double
// of what it predicts. Tolerance: 2e-5 of the largest element. tests/torch/crf_test.py compares
// whole training steps with PyTorch.

#include <gmock/gmock.h>

#include <cstddef>
#include <vector>

#include "engine/base/error.h"
#include "engine/training/network.h"
#include "tests/support/batches.h"
#include "tests/support/crf_reference.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using testing::CrfReference;
using testing::CrfScores;
using testing::Random;
using testing::random_batch;

constexpr double kCrfTolerance = 2e-5;
constexpr std::int64_t kCrfTags = 3;

ModelConfig crf_model() {
  return {.rnn = {.input_size = 4, .hidden_size = 60, .bidirectional = true},
          .task = Task::tagging,
          .output_size = kCrfTags,
          .embedding = {.vocabulary_size = 30},
          .crf = true};
}

std::vector<double> values_of(const Network& network, const char* name) {
  const auto values = network.parameters().value(network.parameters().slice(name));
  return {values.begin(), values.end()};
}

void add(const std::vector<double>& from, double scale, std::vector<double>& to) {
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += scale * from[i];
}

void expect_crf(Network& network, const Batch& batch) {
  const CrfScores scores{kCrfTags, values_of(network, "crf.start_transitions"),
                         values_of(network, "crf.end_transitions"),
                         values_of(network, "crf.transitions")};
  const auto outputs = testing::predict(network, batch);
  const std::vector<double> emissions(outputs.begin(), outputs.end());
  double loss = 0;
  std::int64_t correct = 0;
  std::vector<double> start;
  std::vector<double> end;
  std::vector<double> transitions;
  std::vector<double> bias(kCrfTags);
  const double weight = 1.0 / static_cast<double>(batch.steps());
  for (std::size_t row = 0; std::cmp_less(row, batch.rows()); ++row) {
    const auto first = static_cast<std::size_t>(batch.offsets[row]);
    const auto length = static_cast<std::size_t>(batch.offsets[row + 1]) - first;
    const std::span labels = std::span(batch.labels).subspan(first, length);
    const CrfReference reference(
        scores, std::span(emissions).subspan(first * kCrfTags, length * kCrfTags), labels);
    loss += reference.loss;
    for (std::size_t t = 0; t < length; ++t) correct += reference.tags[t] == labels[t] ? 1 : 0;
    add(reference.d_start, weight, start);
    add(reference.d_end, weight, end);
    add(reference.d_transitions, weight, transitions);
    for (std::size_t i = 0; i < reference.probabilities.size(); ++i) {
      const bool is_label = std::cmp_equal(labels[i / kCrfTags], i % kCrfTags);
      bias[i % kCrfTags] += weight * (reference.probabilities[i] - (is_label ? 1 : 0));
    }
  }
  const Metrics metrics = network.evaluate(batch);
  EXPECT_NEAR(metrics.loss, loss, kCrfTolerance * loss);
  EXPECT_EQ(metrics.items, batch.steps());
  EXPECT_EQ(metrics.correct, correct);
  const auto [of_pass, gradient] = network.differentiate(batch, {});
  EXPECT_EQ(of_pass.loss, metrics.loss);
  double square = 0;
  for (const float element : gradient.values) square += static_cast<double>(element) * element;
  EXPECT_NEAR(gradient.norm, std::sqrt(square), kCrfTolerance * gradient.norm);
  const auto expect_gradient = [&, &of_batch = gradient](const char* name,
                                                         const std::vector<double>& expected) {
    const auto found = of_batch.of(network.parameters().slice(name));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], kCrfTolerance) << name << " " << i;
    }
  };
  expect_gradient("crf.start_transitions", start);
  expect_gradient("crf.end_transitions", end);
  expect_gradient("crf.transitions", transitions);
  expect_gradient("head.bias", bias);
}

TEST(NetworkCrfTest, HasTheLossAndGradientsOfAllTaggings) {
  for (const std::int64_t team_size : {0, 1, 2}) {
    Arena arena(2);
    Network network(crf_model(), 6, 21, arena, {.team_size = team_size});
    network.parameters().initialize(3);
    {
      ParameterEditor editor = network.parameters().edit();
      for (float& value : editor.value("crf.transitions")) value *= 20;
    }
    Random random(7);
    for (const std::int64_t rows : {1, 6, 21}) {
      SCOPED_TRACE(::testing::Message() << rows << " rows, team of " << team_size);
      expect_crf(network,
                 random_batch(network.config(), testing::random_lengths(rows, 6, random), random));
    }
  }
}

TEST(NetworkCrfTest, RefusesWhatItCannotDo) {
  const auto refused = [](const ModelConfig& config, const NetworkOptions& options = {}) {
    try {
      Arena arena(1);
      const Network network(config, 3, 2, arena, options);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  ModelConfig model = crf_model();
  model.embedding = {};
  model.task = Task::classification;
  EXPECT_EQ(refused(model), "crf: expected only for tagging, found classification");
  model = crf_model();
  model.loss.class_weights = {1, 2, 3};
  EXPECT_EQ(refused(model), "crf: expected no class_weights, found some");
  model = crf_model();
  model.loss.label_smoothing = 0.1;
  EXPECT_EQ(refused(model), "crf: expected label_smoothing 0, found another");
  model = crf_model();
  model.loss.ignore_index = 0;
  EXPECT_EQ(refused(model), "crf: expected no ignore_index, found one");
  model = crf_model();
  model.rnn.bidirectional = false;
  EXPECT_EQ(refused(model, {.carries_states = true}), "carries_states: expected no crf, found one");
}

TEST(NetworkCrfTest, EachStepHasALabel) {
  Arena arena(1);
  Network network(crf_model(), 3, 2, arena);
  Random random(1);
  Batch batch = random_batch(network.config(), {3, 2}, random);
  batch.labels[3] = -100;
  try {
    network.evaluate(batch);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "label: expected 0 to 2 at every step for a crf, found -100");
  }
}

}  // namespace
}  // namespace quadgate
