// Sweeps 1 to 1000 classes, row by row and in panels, 0 to 13 rows and two of the widest blocks,
// spans of logits up to 2e4, ties and NaN, label weights, smoothing and rows that do not count, all
// ending at a page that may not be touched, with and without a gradient, on every ISA. Tolerance:
// that of cross_entropy.h, against the formula in double; between ISAs none.

#include "kernels/loss/cross_entropy/cross_entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr float kGradientScale = 0.37F;
constexpr std::int64_t kIgnoreIndex = -100;

/// Where the gradient goes.
enum class Gradient : std::uint8_t { none, in_place, apart };

/// Rows of logits, their labels, and what a kernel makes of them.
struct Job {
  std::size_t rows;
  std::size_t classes;
  GuardedArray logits;
  GuardedArray gradient;
  GuardedArray losses;
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> predictions;
  std::vector<float> label_weights;  // empty: null
  std::vector<float> smoothing;      // empty: null
  float smoothing_sum = 0;
  std::size_t width = 0;  // of a panel of classes; 0: no panels

  /// Logits of standard deviation `spread`.
  static Job random(std::size_t rows, std::size_t classes, float spread) {
    std::mt19937 engine(static_cast<std::mt19937::result_type>(rows * 10007 + classes));
    std::normal_distribution<float> normal(0, spread);
    std::uniform_int_distribution<std::int64_t> label(0, static_cast<std::int64_t>(classes) - 1);
    Job job{rows,
            classes,
            GuardedArray(rows * classes, [&] { return normal(engine); }),
            GuardedArray(rows * classes),
            GuardedArray(rows),
            std::vector<std::int64_t>(rows),
            std::vector<std::int64_t>(rows),
            {},
            {}};
    std::generate(job.labels.begin(), job.labels.end(), [&] { return label(engine); });
    return job;
  }

  /// Random weights from 0 to 2 and smoothing from 0 to 0.1; every third row does not count.
  void weigh() {
    std::mt19937 engine(17);
    const auto uniform = [&] { return static_cast<float>(engine() >> 8) * 0x1.0p-24F; };
    for (std::size_t c = 0; c < classes; ++c) {
      label_weights.push_back(2 * uniform());
      smoothing.push_back(0.1F * uniform());
      smoothing_sum += smoothing.back();
    }
    for (std::size_t i = 1; i < rows; i += 3) labels[i] = kIgnoreIndex;
  }

  const float* row(std::size_t i) { return logits.data() + i * classes; }

  /// The job with its logits in panels of so many classes.
  Job in_panels(std::size_t classes_of_panel) const {
    const std::size_t floats =
        (classes + classes_of_panel - 1) / classes_of_panel * rows * classes_of_panel;
    Job job{rows,
            classes,
            GuardedArray(floats, [] { return NAN; }),
            GuardedArray(floats),
            losses,
            labels,
            predictions,
            label_weights,
            smoothing,
            smoothing_sum,
            classes_of_panel};
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t c = 0; c < classes; ++c)
        job.logits.data()[job.place(i, c)] = logits[place(i, c)];
    }
    return job;
  }
  std::size_t place(std::size_t i, std::size_t c) const {
    return width == 0 ? i * classes + c : c / width * rows * width + i * width + c % width;
  }

  void run(Isa isa, Gradient kind) {
    float* const targets[] = {nullptr, logits.data(), gradient.data()};
    const auto run = static_cast<std::int64_t>(width == 0 ? classes : width);
    cross_entropy_kernel(isa)(
        {.rows = static_cast<std::int64_t>(rows),
         .classes = static_cast<std::int64_t>(classes),
         .row_stride = run,
         .run = run,
         .run_stride = static_cast<std::int64_t>(rows) * run,
         .logits = logits.data(),
         .labels = labels.data(),
         .ignore_index = kIgnoreIndex,
         .label_weights = label_weights.empty() ? nullptr : label_weights.data(),
         .smoothing = smoothing.empty() ? nullptr : smoothing.data(),
         .smoothing_sum = smoothing_sum,
         .gradient_scale = kGradientScale,
         .gradient = targets[static_cast<std::size_t>(kind)],
         .losses = losses.data(),
         .predictions = predictions.data()});
  }
};

/// The target of row `i` of `job`.
std::vector<double> target_of(const Job& job, std::size_t i) {
  std::vector<double> target(job.smoothing.begin(), job.smoothing.end());
  target.resize(job.classes);
  const auto label = static_cast<std::size_t>(job.labels[i]);
  target[label] += job.label_weights.empty() ? 1.0 : double{job.label_weights[label]};
  return target;
}

/// Checks row `i` of `job`, whose gradient is apart, against the formula in double.
void expect_formula(Job& job, std::size_t i) {
  const float* const logits = job.row(i);
  const auto [smallest, largest] = std::minmax_element(logits, logits + job.classes);
  EXPECT_EQ(job.predictions[i], std::max_element(logits, logits + job.classes) - logits)
      << "row " << i;
  if (job.labels[i] == kIgnoreIndex) {
    EXPECT_EQ(job.losses[i], 0) << "row " << i;
    for (std::size_t c = 0; c < job.classes; ++c) EXPECT_EQ(job.gradient[i * job.classes + c], 0);
    return;
  }
  const double span = double{*largest} - *smallest;
  const auto classes = static_cast<double>(job.classes);
  const auto target = target_of(job, i);
  const double whole = std::accumulate(target.begin(), target.end(), 0.0);
  const double smoothed = job.smoothing.empty() ? 0 : 1 + classes / 32;
  double sum = 0;
  for (std::size_t c = 0; c < job.classes; ++c) sum += std::exp(double{logits[c]} - *largest);
  double loss = 0;
  for (std::size_t c = 0; c < job.classes; ++c) {
    loss += target[c] * (std::log(sum) + *largest - logits[c]);
    const double softmax = std::exp(double{logits[c]} - *largest) / sum;
    EXPECT_NEAR(job.gradient[i * job.classes + c], (softmax * whole - target[c]) * kGradientScale,
                (2 + classes / 32 + smoothed) * kEpsilon * whole * kGradientScale)
        << "row " << i << ", class " << c;
  }
  EXPECT_NEAR(job.losses[i], loss,
              (2 + smoothed) * kEpsilon * whole * (1 + std::log(classes) + span))
      << "row " << i;
}

class CrossEntropyKernelTest : public EachIsa {
 protected:
  /// Calls body(job) for random logits of every shape and spread.
  template <typename Body>
  static void for_each_job(Body body) {
    for (const std::size_t classes :
         std::vector<std::size_t>{1, 2, 10, 15, 16, 17, 33, 100, 1000}) {
      for (const std::size_t rows :
           std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 32}) {
        for (const float spread : {0.01F, 3.0F, 3000.0F}) {
          SCOPED_TRACE(::testing::Message()
                       << rows << " rows of " << classes << " classes, spread " << spread);
          body(Job::random(rows, classes, spread));
          Job weighed = Job::random(rows, classes, spread);
          weighed.weigh();
          body(std::move(weighed));
          if (::testing::Test::HasFailure()) return;
        }
      }
    }
  }
};

TEST_P(CrossEntropyKernelTest, FollowsTheFormula) {
  for_each_job([](Job job) {
    job.run(GetParam(), Gradient::apart);
    for (std::size_t i = 0; i < job.rows; ++i) expect_formula(job, i);
  });
}

TEST_P(CrossEntropyKernelTest, GivesTheScalarBits) {
  for_each_job([](Job job) {
    Job expected = job;
    expected.run(Isa::scalar, Gradient::apart);
    job.run(GetParam(), Gradient::apart);
    EXPECT_TRUE(job.losses.same_bits(expected.losses));
    EXPECT_TRUE(job.gradient.same_bits(expected.gradient));
    EXPECT_EQ(job.predictions, expected.predictions);
  });
}

TEST_P(CrossEntropyKernelTest, GivesTheSameBitsInPlaceAndWithoutAGradient) {
  for_each_job([](const Job& job) {
    Job apart = job;
    Job in_place = job;
    Job none = job;
    apart.run(GetParam(), Gradient::apart);
    in_place.run(GetParam(), Gradient::in_place);
    none.run(GetParam(), Gradient::none);
    EXPECT_TRUE(in_place.logits.same_bits(apart.gradient));
    for (Job* other : {&in_place, &none}) {
      EXPECT_TRUE(other->losses.same_bits(apart.losses));
      EXPECT_EQ(other->predictions, apart.predictions);
    }
    EXPECT_TRUE(none.logits.same_bits(job.logits));
    EXPECT_TRUE(apart.logits.same_bits(job.logits));
  });
}

TEST_P(CrossEntropyKernelTest, GivesTheSameBitsInPanels) {
  for_each_job([](const Job& job) {
    for (const std::size_t width : std::vector<std::size_t>{16, 64}) {
      Job in_rows = job;
      Job in_panels = job.in_panels(width);
      in_rows.run(GetParam(), Gradient::in_place);
      in_panels.run(GetParam(), Gradient::in_place);
      EXPECT_TRUE(in_panels.losses.same_bits(in_rows.losses));
      EXPECT_EQ(in_panels.predictions, in_rows.predictions);
      std::size_t differing = 0;
      for (std::size_t i = 0; i < job.rows; ++i) {
        for (std::size_t c = 0; c < job.classes; ++c) {
          const float found = in_panels.logits[in_panels.place(i, c)];
          differing += found != in_rows.logits[in_rows.place(i, c)] ? 1U : 0U;
        }
      }
      EXPECT_EQ(differing, 0U) << "panels of " << width;
    }
  });
}

TEST_P(CrossEntropyKernelTest, TouchesNothingElse) {
  for_each_job([](Job job) {
    job.run(GetParam(), Gradient::apart);
    EXPECT_TRUE(job.logits.before_is_intact());
    EXPECT_TRUE(job.gradient.before_is_intact());
    EXPECT_TRUE(job.losses.before_is_intact());
  });
}

TEST_P(CrossEntropyKernelTest, TakesHugeLogits) {
  Job job = Job::random(3, 20, 1);
  job.logits.data()[7] = 1e4F;
  job.logits.data()[20 + 3] = -1e4F;
  std::fill_n(job.logits.data() + 40, 20, -1e4F);
  job.labels = {9, 3, 19};
  job.run(GetParam(), Gradient::apart);
  for (std::size_t i = 0; i < job.rows; ++i) expect_formula(job, i);
}

TEST_P(CrossEntropyKernelTest, PredictsTheFirstOfEqualLogits) {
  for (const std::size_t first : std::vector<std::size_t>{0, 1, 7, 8, 15, 16, 39}) {
    Job job = Job::random(13, 40, 0);
    for (std::size_t i = 0; i < job.rows; ++i) {
      std::fill_n(job.logits.data() + i * job.classes, first, -1.0F);
    }
    job.run(GetParam(), Gradient::none);
    EXPECT_EQ(job.predictions,
              std::vector<std::int64_t>(job.rows, static_cast<std::int64_t>(first)));
  }
}

TEST_P(CrossEntropyKernelTest, ShowsLogitsThatAreNotFiniteInTheirRowAlone) {
  for (const std::size_t classes : std::vector<std::size_t>{3, 10, 40}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
      for (std::size_t position = 0; position < classes; ++position) {
        Job job = Job::random(5, classes, 1);
        job.logits.data()[2 * classes + position] = bad;
        job.run(GetParam(), Gradient::apart);
        for (std::size_t i = 0; i < job.rows; ++i) {
          EXPECT_EQ(std::isnan(job.losses[i]), i == 2)
              << bad << " at " << position << ", row " << i;
          EXPECT_TRUE(job.predictions[i] >= 0 && std::cmp_less(job.predictions[i], classes));
          if (i != 2) expect_formula(job, i);
        }
      }
    }
  }
}

TEST_P(CrossEntropyKernelTest, LeavesNothingOfARowThatDoesNotCount) {
  Job job = Job::random(5, 20, 1);
  job.labels[2] = kIgnoreIndex;
  std::fill_n(job.logits.data() + 40, 20, std::numeric_limits<float>::quiet_NaN());
  job.run(GetParam(), Gradient::in_place);
  EXPECT_EQ(job.losses[2], 0);
  for (std::size_t c = 0; c < 20; ++c) EXPECT_EQ(job.logits[40 + c], 0);
}

INSTANTIATE_TEST_SUITE_P(Isa, CrossEntropyKernelTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
