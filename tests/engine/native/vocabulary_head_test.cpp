// Sweeps classes around a vector and a panel, and 10,007; odd and even features and rows, of one
// and of two blocks; every arithmetic on every ISA. The truth is PyTorch's formulas in double, of
// operands that are rounded as bf16.h says. Tolerances: of a logit epsilon / 2 of its terms for
// each of them. A gradient of a logit has rounded its two terms to 1e-4 of them, and is within half
// a unit of bf16 of itself, 2^-8, where it is rounded; a sum over rows or classes is within the sum
// of that. 1e-5 of a loss, 1e-6 of a sum of squares.

#include "engine/native/vocabulary_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "engine/native/cell_kernels.h"
#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::native {
namespace {

using kernels::Arithmetic;
using kernels::Isa;

struct HeadCase {
  std::int64_t classes = 0;
  std::int64_t features = 0;
  std::int64_t rows = 0;
  bool plain_loss = true;  // else with smoothing, class weights and ignored labels
};

ModelConfig model_of(const HeadCase& test) {
  ModelConfig model{.rnn = {.input_size = 1, .hidden_size = test.features},
                    .task = Task::tagging,
                    .output_size = test.classes};
  if (test.plain_loss) return model;
  model.loss.label_smoothing = 0.1;
  model.loss.ignore_index = test.classes / 2;
  for (std::int64_t c = 0; c < test.classes; ++c) {
    model.loss.class_weights.push_back(0.5F + 0.01F * static_cast<float>(c % 100));
  }
  return model;
}

/// A head of its own over random rows, by some cores.
class HeadRun {
 public:
  HeadRun(const HeadCase& test, Arithmetic arithmetic, Isa isa, int cores)
      : model(model_of(test)),
        test_(test),
        arena_(cores),
        parameters_(model),
        gradient_(parameters_),
        workers_(model.rnn, 1'000'000'000, 1, isa, arena_),
        stack_({.config = model.rnn,
                .prefix = "rnn.",
                .seq_len = test.rows,
                .batch_size = 1,
                .cores = cores,
                .isa = isa},
               parameters_, gradient_),
        head_({.model = model, .seq_len = test.rows, .batch_size = 1, .options = {}, .isa = isa},
              cell_kernels(Cell::lstm, arithmetic, isa), parameters_, gradient_) {
    parameters_.initialize(3);
    std::ranges::fill(gradient_.values(), std::numeric_limits<float>::quiet_NaN());
    std::vector<PackTask> pack_tasks;
    head_.add_pack_tasks(pack_tasks);
    for (const auto& task : pack_tasks) task.run();
    testing::Random random(5);
    y = random.values(static_cast<std::size_t>(test.rows * test.features));
    batch.offsets = {0, test.rows};
    batch.x.resize(static_cast<std::size_t>(test.rows));
    for (std::int64_t row = 0; row < test.rows; ++row) {
      batch.labels.push_back(random.integer(0, test.classes - 1));
    }
    logits.resize(static_cast<std::size_t>(test.rows * test.classes));
    d_y.resize(y.size(), std::numeric_limits<float>::quiet_NaN());
    const Pass pass = stack_.begin(batch, batch.offsets, nullptr, kScale, workers_);
    const auto forward = workers_.for_each_range(pass, [&](const WorkRange& work) {
      head_.load_labels(work);
      return stack_.forward(stack_.load(work, {.x = batch.x.data(), .width = 1}));
    });
    head_.predict(forward, {y.data(), test.features}, workers_, logits);
    evaluated = head_.evaluate(forward, {y.data(), test.features}, workers_);
    metrics = head_.differentiate(forward, {y.data(), test.features}, {d_y.data(), test.features},
                                  workers_, nullptr);
    square = head_.sum_of_squares();
    plan = head_.plan(pass, workers_);
  }

  static constexpr float kScale = 0.125F;

  std::span<const float> weight() const { return parameters_.value(parameters_.head_weight()); }
  std::span<const float> bias() const { return parameters_.value(parameters_.head_bias()); }
  std::span<const float> d_weight() { return of(parameters_.head_weight()); }
  std::span<const float> d_bias() { return of(parameters_.head_bias()); }

  /// All that it computed.
  std::vector<float> results() {
    std::vector<float> all = logits;
    for (const std::span<const float> part : {std::span<const float>(d_y), d_weight(), d_bias()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    all.push_back(static_cast<float>(metrics.loss));
    return all;
  }

  const ModelConfig model;
  Batch batch;
  std::vector<float> y, logits, d_y;
  Metrics evaluated, metrics;
  double square = 0;
  std::vector<StepPlan::Tasks> plan;

 private:
  std::span<const float> of(const ParameterSlice& slice) {
    return gradient_.values().subspan(slice.offset, slice.size);
  }

  HeadCase test_;
  Arena arena_;
  Parameters parameters_;
  GradientBuffer gradient_;
  Workers workers_;
  Stack stack_;
  VocabularyHead head_;
};

/// A number, and how far from it a result may be.
struct Expected {
  double value = 0;
  double slack = 0;

  void add(double factor, const Expected& term) {
    value += factor * term.value;
    slack += std::abs(factor) * term.slack;
  }
};

void expect_near(float found, const Expected& expected, const char* what, std::size_t index) {
  EXPECT_NEAR(found, expected.value, expected.slack + 1e-30) << what << ' ' << index;
}

/// The gradients of a row of logits, which they replace. Returns the loss.
double differentiate(const ModelConfig& model, std::int64_t label, bool rounds,
                     std::vector<Expected>& row) {
  const auto& loss = model.loss;
  const double largest = std::ranges::max_element(row, {}, &Expected::value)->value;
  double sum = 0;
  for (const Expected& logit : row) sum += std::exp(logit.value - largest);
  const bool counts = label != loss.ignore_index;
  const auto target = [&](std::size_t c) {  // q_c of the documentation
    if (!counts) return 0.0;
    const double weight = loss.class_weights.empty() ? 1 : loss.class_weights[c];
    const double share = loss.label_smoothing / static_cast<double>(row.size());
    return weight * (share + (std::cmp_equal(c, label) ? 1 - loss.label_smoothing : 0));
  };
  double of_row = 0;
  double whole = 0;
  for (std::size_t c = 0; c < row.size(); ++c) {
    of_row += target(c) * (std::log(sum) + largest - row[c].value);
    whole += target(c);
  }
  for (std::size_t c = 0; c < row.size(); ++c) {
    const double power = whole * std::exp(row[c].value - largest) / sum;
    const double value = HeadRun::kScale * (power - target(c));
    row[c] = {value, 1e-4 * HeadRun::kScale * (power + target(c)) +
                         (rounds ? 0x1p-8 * std::abs(value) : 0)};
  }
  return of_row;
}

/// Compares all of a run with the formulas.
void expect_formulas(const HeadCase& test, Arithmetic arithmetic, Isa isa) {
  SCOPED_TRACE(::testing::Message()
               << test.classes << " classes, " << test.features << " features, " << test.rows
               << " rows, arithmetic " << static_cast<int>(arithmetic) << ", " << isa);
  kernels::cap_isa(isa);
  HeadRun run(test, arithmetic, isa, 2);
  const bool rounds = arithmetic != Arithmetic::floats;
  const auto operands = [&](std::span<const float> values) {
    std::vector<double> exact(values.begin(), values.end());
    if (rounds) std::ranges::transform(values, exact.begin(), testing::rounded_to_bf16);
    return exact;
  };
  const std::vector<double> y = operands(run.y);
  const std::vector<double> weight = operands(run.weight());
  const auto classes = static_cast<std::size_t>(test.classes);
  const auto features = static_cast<std::size_t>(test.features);
  const double half_epsilon = 0.5 * std::numeric_limits<float>::epsilon();

  std::vector<Expected> d_weight(weight.size());
  std::vector<Expected> d_bias(classes);
  double loss = 0;
  for (std::size_t row = 0; row < run.batch.labels.size(); ++row) {
    std::vector<Expected> d_logits(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      double value = run.bias()[c];
      double terms = std::abs(value);
      for (std::size_t k = 0; k < features; ++k) {
        const double term = y[row * features + k] * weight[c * features + k];
        value += term;
        terms += std::abs(term);
      }
      d_logits[c] = {value, half_epsilon * static_cast<double>(features + 1) * terms};
      expect_near(run.logits[row * classes + c], d_logits[c], "logit", row * classes + c);
    }
    loss += differentiate(run.model, run.batch.labels[row], rounds, d_logits);
    for (std::size_t c = 0; c < classes; ++c) {
      for (std::size_t k = 0; k < features; ++k) {
        d_weight[c * features + k].add(y[row * features + k], d_logits[c]);
      }
      d_bias[c].add(1, d_logits[c]);
    }
    for (std::size_t k = 0; k < features; ++k) {
      Expected d_y;
      for (std::size_t c = 0; c < classes; ++c) d_y.add(weight[c * features + k], d_logits[c]);
      expect_near(run.d_y[row * features + k], d_y, "d(y)", row * features + k);
    }
  }
  EXPECT_NEAR(run.metrics.loss, loss, 1e-5 * (1 + loss));
  EXPECT_EQ(run.metrics.loss, run.evaluated.loss);
  double square = 0;
  for (std::size_t i = 0; i < d_weight.size(); ++i) {
    expect_near(run.d_weight()[i], d_weight[i], "d(weight)", i);
    square += double{run.d_weight()[i]} * run.d_weight()[i];
  }
  for (std::size_t c = 0; c < classes; ++c) {
    expect_near(run.d_bias()[c], d_bias[c], "d(bias)", c);
    square += double{run.d_bias()[c]} * run.d_bias()[c];
  }
  EXPECT_NEAR(run.square, square, 1e-6 * square);
}

/// Those that a machine can have. Tiles are emulated but on amx_bf16, and slowly.
std::vector<Arithmetic> arithmetics(Isa isa) {
  std::vector all{Arithmetic::floats, Arithmetic::pairs};
  if (isa == Isa::scalar || isa == Isa::amx_bf16) all.push_back(Arithmetic::tiles);
  return all;
}

class VocabularyHeadTest : public kernels::EachIsa {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }
};

TEST_P(VocabularyHeadTest, HasTheNumbersOfTheFormulasAtEveryNumberOfClasses) {
  for (const Arithmetic arithmetic : arithmetics(GetParam())) {
    for (const std::int64_t classes : {1, 2, 15, 16, 17, 63, 64, 65, 255, 257, 10007}) {
      for (const std::int64_t features : {1, 8, 33, 130}) {
        if (classes > 1000 && features > 8) continue;
        expect_formulas({classes, features, 1 + features % 7, features != 8}, arithmetic,
                        GetParam());
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(VocabularyHeadTest, HasTheNumbersOfTheFormulasInSeveralBlocks) {
  for (const Arithmetic arithmetic : arithmetics(GetParam())) {
    for (const std::int64_t rows : {239, 240, 241, 497}) {
      expect_formulas({67, 19, rows, rows % 2 == 0}, arithmetic, GetParam());
      ASSERT_FALSE(HasFailure());
    }
  }
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void expect_same_bits_of_threads(const HeadCase& test, Arithmetic arithmetic, Isa isa) {
  kernels::cap_isa(isa);
  const auto expected = HeadRun(test, arithmetic, isa, 1).results();
  for (const int cores : {2, 3, 8}) {
    EXPECT_TRUE(same_bits(HeadRun(test, arithmetic, isa, cores).results(), expected))
        << cores << " threads, arithmetic " << static_cast<int>(arithmetic);
  }
}

TEST_P(VocabularyHeadTest, EveryNumberOfThreadsGivesTheSameBits) {
  for (const Arithmetic arithmetic : {Arithmetic::floats, Arithmetic::pairs}) {
    expect_same_bits_of_threads({1301, 77, 251, false}, arithmetic, GetParam());
  }
}

TEST_P(VocabularyHeadTest, AFewClassesHaveTheSameBitsAtEveryNumberOfThreads) {
  for (const Arithmetic arithmetic : arithmetics(GetParam())) {
    expect_same_bits_of_threads({97, 35, 251, false}, arithmetic, GetParam());
  }
}

TEST_P(VocabularyHeadTest, ThePlanHasEachMultiplyAddOfEachBlockOnce) {
  kernels::cap_isa(GetParam());
  const HeadCase test{1301, 77, 251, false};
  for (const Arithmetic arithmetic : {Arithmetic::floats, Arithmetic::pairs}) {
    for (const int cores : {1, 3, 8}) {
      const auto plan = HeadRun(test, arithmetic, GetParam(), cores).plan;
      const std::size_t logits = arithmetic == Arithmetic::floats ? 0 : 1;  // behind the rounding
      const std::size_t parts = logits + 3;                                 // of a block
      ASSERT_EQ(plan.size(), 2 * parts);
      for (std::size_t i = 0; i < plan.size(); ++i) {
        PhaseTimes costs;
        for (const StepPlan::Task& task : plan[i].tasks) costs[task.phase] += task.cost;
        EXPECT_EQ(std::ssize(plan[i].ends), cores);
        EXPECT_EQ(plan[i].ends.back(), std::ssize(plan[i].tasks));
        const double rows = i < parts ? 240 : 11;
        const double product = rows * 1301 * 77;
        const bool goes_back = i % parts == logits + 2;
        EXPECT_EQ(costs[Phase::weight_gradients], goes_back ? product : 0);
        if (goes_back || i % parts == logits) {
          EXPECT_EQ(costs[Phase::head_and_loss], product);
        }
        if (i % parts == logits + 1) {
          EXPECT_GT(costs[Phase::head_and_loss], rows * 1301);
          EXPECT_LT(costs[Phase::head_and_loss], product);
        }
      }
    }
  }
}

TEST_P(VocabularyHeadTest, PairsGiveTheBitsOfTheScalarOnes) {
  const HeadCase test{129, 23, 20, false};
  kernels::cap_isa(Isa::scalar);
  const auto expected = HeadRun(test, Arithmetic::pairs, Isa::scalar, 1).results();
  kernels::cap_isa(GetParam());
  EXPECT_TRUE(same_bits(HeadRun(test, Arithmetic::pairs, GetParam(), 1).results(), expected));
}

INSTANTIATE_TEST_SUITE_P(Isa, VocabularyHeadTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate::native
