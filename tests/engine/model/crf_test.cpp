// Sweeps 1 to 4 tags and 1 to 6 steps, scores of three spans, in rows that lie apart: loss, best
// tagging, probabilities and the gradient of the transitions, against all taggings one after the
// other in double. Then one of 2,000 steps, and scores that no tagging can have. Tolerance: 1e-5 of
// 1 and the largest score.

#include "engine/model/crf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "tests/support/crf_reference.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using testing::CrfReference;
using testing::CrfScores;
using testing::Random;

/// A crf with random scores, and the rows of one sequence, two apart.
struct CrfCase {
  CrfCase(std::int64_t number_of_tags, std::int64_t steps, float span, Random& random)
      : tags(number_of_tags),
        length(steps),
        parameters({.rnn = {.input_size = 1, .hidden_size = 1},
                    .task = Task::tagging,
                    .output_size = tags,
                    .crf = true}) {
    {
      ParameterEditor editor = parameters.edit();
      for (const ParameterSlice& slice : parameters.slices()) {
        for (float& value : editor.value(slice)) value = random.uniform(-span, span);
      }
    }
    const auto scores_of = [&](const char* name) {
      const auto weights = parameters.value(parameters.slice(name));
      return std::vector<double>(weights.begin(), weights.end());
    };
    scores = {static_cast<std::size_t>(tags), scores_of("crf.start_transitions"),
              scores_of("crf.end_transitions"), scores_of("crf.transitions")};
    for (std::int64_t t = 0; t < length; ++t) {
      offsets.push_back(2 * t);
      labels.push_back(random.integer(0, tags - 1));
      labels.push_back(0);
      for (std::int64_t i = 0; i < 2 * tags; ++i) {
        values.push_back(random.uniform(-span, span));
      }
      for (std::int64_t i = 0; i < tags; ++i) {
        emissions.push_back(double{values[static_cast<std::size_t>((2 * t + 1) * tags + i)]});
      }
    }
    // Place 1 has the sequence; labels are the other way round.
    for (std::size_t t = 0; t < offsets.size(); ++t) std::swap(labels[2 * t], labels[2 * t + 1]);
    alphas.resize(values.size());
    betas.resize(values.size());
    shifts.resize(values.size());
  }

  Crf::Sequence sequence() const { return {offsets, 1, length}; }
  Crf::Rows rows() { return {values.data(), alphas.data(), betas.data(), shifts.data()}; }
  std::vector<std::int64_t> own(const std::vector<std::int64_t>& of_rows) const {
    std::vector<std::int64_t> own;
    for (std::size_t t = 0; t < offsets.size(); ++t) own.push_back(of_rows[2 * t + 1]);
    return own;
  }

  std::int64_t tags;
  std::int64_t length;
  Parameters parameters;
  CrfScores scores;
  std::vector<std::int64_t> offsets, labels;
  std::vector<double> emissions;
  std::vector<float> values, alphas, betas, shifts;
};

void expect_reference(CrfCase&& test, double tolerance) {
  const Crf crf(test.parameters);
  const CrfReference expected(test.scores, test.emissions, test.own(test.labels));
  std::vector<std::int64_t> tags(test.labels.size(), -7);
  crf.decode(test.sequence(), test.rows(), tags.data());
  EXPECT_NEAR(expected.score(test.own(tags)), expected.best_score, tolerance);
  Crf::Forward forward = crf.forward(test.sequence(), test.rows());
  EXPECT_NEAR(forward.log_sum() - crf.score(test.sequence(), test.rows(), test.labels.data()),
              expected.loss, tolerance);
  crf.backward(std::move(forward), 0.5F);
  const auto size = static_cast<std::size_t>(test.tags);
  std::vector<float> sums(size * size);
  for (std::int64_t t = 0; t < test.length; ++t) {
    for (std::int64_t i = 0; i < test.tags; ++i) {
      ASSERT_NEAR(2 * test.values[static_cast<std::size_t>((2 * t + 1) * test.tags + i)],
                  expected.probabilities[static_cast<std::size_t>(t * test.tags + i)], tolerance);
    }
    if (t == 0) continue;
    crf.count_transitions(0, test.tags, 1, &test.alphas[static_cast<std::size_t>(2 * t - 1) * size],
                          &test.betas[static_cast<std::size_t>(2 * t + 1) * size], sums);
    sums[static_cast<std::size_t>(test.labels[static_cast<std::size_t>(2 * t - 1)]) * size +
         static_cast<std::size_t>(test.labels[static_cast<std::size_t>(2 * t + 1)])] -= 1;
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    ASSERT_NEAR(sums[i], expected.d_transitions[i], tolerance);
  }
}

TEST(CrfTest, IsTheSumOverAllTaggings) {
  Random random(1);
  for (const float span : {0.1F, 3.0F, 30.0F}) {
    for (std::int64_t tags = 1; tags <= 4; ++tags) {
      for (std::int64_t length = 1; length <= 6; ++length) {
        SCOPED_TRACE(::testing::Message() << tags << " tags, " << length << " steps, " << span);
        expect_reference(CrfCase(tags, length, span, random), 1e-5 * (1 + double{span}));
      }
    }
  }
}

TEST(CrfTest, LosesNothingOverManySteps) {
  Random random(2);
  CrfCase test(3, 2000, 4, random);
  const Crf crf(test.parameters);
  // The forward algorithm in double.
  std::vector<double> alphas(3);
  for (std::size_t t = 0; t < 2000; ++t) {
    std::vector<double> next(3);
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        sum += std::exp(alphas[i] + test.scores.transitions[3 * i + j] - alphas[0]);
      }
      next[j] =
          test.emissions[3 * t + j] + (t == 0 ? test.scores.start[j] : alphas[0] + std::log(sum));
    }
    alphas = next;
  }
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += std::exp(alphas[i] + test.scores.end[i] - alphas[0]);
  Crf::Forward forward = crf.forward(test.sequence(), test.rows());
  EXPECT_NEAR(forward.log_sum(), alphas[0] + std::log(sum), 2e-3);
  crf.backward(std::move(forward), 1);
  for (std::size_t t = 0; t < 2000; ++t) {
    const float* const probabilities = &test.values[(2 * t + 1) * 3];
    ASSERT_NEAR(probabilities[0] + probabilities[1] + probabilities[2], 1, 1e-3);
  }
}

TEST(CrfTest, KeepsToScoresThatAreFarApart) {
  Random random(3);
  CrfCase test(3, 5, 1, random);
  {
    ParameterEditor editor = test.parameters.edit();
    // Tag 1 comes behind tag 0 alone, and tag 2 never ends: as constraints on BIO tags are set.
    const auto transitions = editor.value("crf.transitions");
    transitions[4] = transitions[7] = -10000;
    editor.value("crf.end_transitions")[2] = -10000;
  }
  const auto transitions = test.parameters.value(test.parameters.slice("crf.transitions"));
  test.scores.transitions.assign(transitions.begin(), transitions.end());
  test.scores.end[2] = -10000;
  test.labels = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0};
  expect_reference(std::move(test), 1e-5);
}

}  // namespace
}  // namespace quadgate
