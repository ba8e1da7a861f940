// Sweeps 1 to 35 tags and some up to 130, each array ending at a page that may not be touched,
// spans of scores up to 1e3, 0 to 5 pairs of steps, some rows of all, equal scores and NaN, on
// every ISA. Tolerance: that of crf.h, against the formulas in double; between ISAs none.

#include "kernels/loss/crf/crf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"

namespace quadgate::kernels {
namespace {

constexpr double kEpsilonOfCrf = std::numeric_limits<float>::epsilon();

/// Scores of tags and pairs of steps.
struct CrfJob {
  std::size_t tags;
  std::size_t pairs;
  GuardedArray scores;
  GuardedArray from;
  GuardedArray to;
  GuardedArray emissions;
  GuardedArray result;
  GuardedArray sums;

  static CrfJob random(std::size_t tags, std::size_t pairs, float spread) {
    std::mt19937 engine(static_cast<std::mt19937::result_type>(tags * 10007 + pairs));
    std::normal_distribution<float> normal(0, spread);
    const auto next = [&] { return normal(engine); };
    return {tags,
            pairs,
            GuardedArray(tags * tags, next),
            GuardedArray(std::max<std::size_t>(pairs, 1) * tags, next),
            GuardedArray(pairs * tags, next),
            GuardedArray(tags, next),
            GuardedArray(tags),
            GuardedArray(tags * tags, next)};
  }

  CrfStep step(bool has_emissions) {
    return {static_cast<std::int64_t>(tags), scores.data(), from.data(),
            has_emissions ? emissions.data() : nullptr, result.data()};
  }
  /// Of rows [first, first + rows).
  CrfCount count(std::size_t first, std::size_t rows) {
    return {.tags = static_cast<std::int64_t>(tags),
            .first_row = static_cast<std::int64_t>(first),
            .rows = static_cast<std::int64_t>(rows),
            .scores = scores.data(),
            .pairs = static_cast<std::int64_t>(pairs),
            .from = from.data(),
            .to = to.data(),
            .sums = sums.data()};
  }
  double score(std::size_t i, std::size_t j) const {
    return double{from[i]} + double{scores[i * tags + j]};
  }
};

std::vector<std::size_t> tag_sizes() {
  std::vector<std::size_t> sizes{47, 48, 49, 63, 64, 65, 80, 81, 100, 130};
  for (std::size_t size = 1; size <= 35; ++size) sizes.push_back(size);
  return sizes;
}

class CrfKernelTest : public EachIsa {
 protected:
  CrfKernels kernels_ = crf_kernels(GetParam());
  CrfKernels specification_ = crf_kernels(Isa::scalar);
};

TEST_P(CrfKernelTest, AddsUpAndFindsTheBest) {
  for (const std::size_t tags : tag_sizes()) {
    for (const float spread : {0.1F, 3.0F, 1000.0F}) {
      for (const bool has_emissions : {false, true}) {
        CrfJob job = CrfJob::random(tags, 1, spread);
        SCOPED_TRACE(::testing::Message() << tags << " tags, spread " << spread);
        kernels_.sum(job.step(has_emissions));
        const CrfJob summed = job;
        kernels_.best(job.step(has_emissions));
        for (std::size_t j = 0; j < tags; ++j) {
          double best = job.score(0, j);
          double largest = 0;
          for (std::size_t i = 0; i < tags; ++i) {
            best = std::max(best, job.score(i, j));
            largest = std::max(largest, std::abs(job.score(i, j)));
          }
          double sum = 0;
          for (std::size_t i = 0; i < tags; ++i) sum += std::exp(job.score(i, j) - best);
          const double emission = has_emissions ? job.emissions[j] : 0;
          const auto n = static_cast<double>(tags);
          const double size = 1 + std::log(n) + std::max(largest, std::abs(emission));
          ASSERT_NEAR(summed.result[j], emission + best + std::log(sum),
                      (2 + n / 2) * kEpsilonOfCrf * size);
          ASSERT_NEAR(job.result[j], emission + best, 2 * kEpsilonOfCrf * size);
        }
        EXPECT_TRUE(job.result.before_is_intact());
        CrfJob expected = CrfJob::random(tags, 1, spread);
        specification_.sum(expected.step(has_emissions));
        EXPECT_TRUE(summed.result.same_bits(expected.result));
        specification_.best(expected.step(has_emissions));
        EXPECT_TRUE(job.result.same_bits(expected.result));
      }
    }
  }
}

TEST_P(CrfKernelTest, CountsPairs) {
  for (const std::size_t tags : tag_sizes()) {
    for (const std::size_t pairs : std::vector<std::size_t>{0, 1, 2, 5}) {
      const CrfJob before = CrfJob::random(tags, pairs, 1.0F);
      const std::size_t first = tags / 3;
      const std::size_t rows = (tags - first + 1) / 2;
      CrfJob job = before;
      kernels_.count(job.count(first, rows));
      for (std::size_t i = 0; i < tags; ++i) {
        for (std::size_t j = 0; j < tags; ++j) {
          const std::size_t at = i * tags + j;
          if (i < first || i >= first + rows) {
            ASSERT_EQ(job.sums[at], before.sums[at]);
            continue;
          }
          double sum = 0;
          double largest = std::abs(job.scores[at]);
          for (std::size_t k = 0; k < pairs; ++k) {
            const double from = job.from[k * tags + i];
            const double to = job.to[k * tags + j];
            largest = std::max({largest, std::abs(from), std::abs(to)});
            sum += std::exp(from + double{job.scores[at]} + to);
          }
          const double size = sum + std::abs(before.sums[at]);
          const double roundings = 2 + 2 * largest + static_cast<double>(pairs);
          ASSERT_NEAR(job.sums[at], before.sums[at] + sum, roundings * kEpsilonOfCrf * size)
              << tags << " tags, " << pairs << " pairs";
        }
      }
      CrfJob expected = before;
      specification_.count(expected.count(first, rows));
      EXPECT_TRUE(job.sums.same_bits(expected.sums));
      EXPECT_TRUE(job.sums.before_is_intact());
    }
  }
}

TEST_P(CrfKernelTest, TakesPowers) {
  for (const std::size_t tags : tag_sizes()) {
    for (const std::size_t pairs : std::vector<std::size_t>{1, 2, 5}) {
      CrfJob before = CrfJob::random(tags, pairs, 4.0F);
      for (std::size_t i = 0; i < tags * tags; ++i) {
        before.scores.data()[i] = std::exp(before.scores[i]);
      }
      for (std::size_t i = 0; i < pairs * tags; ++i) {
        before.from.data()[i] = std::exp(before.from[i]);
        before.to.data()[i] = std::exp(before.to[i]);
      }
      CrfJob job = before;
      kernels_.sum_powers(job.step(true));
      const std::size_t first = tags / 3;
      const std::size_t rows = (tags - first + 1) / 2;
      kernels_.count_powers(job.count(first, rows));
      for (std::size_t j = 0; j < tags; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < tags; ++i) {
          sum += double{job.from[i]} * double{job.scores[i * tags + j]};
        }
        const double size = 1 + std::abs(std::log(sum)) + std::abs(job.emissions[j]);
        ASSERT_NEAR(job.result[j], job.emissions[j] + std::log(sum),
                    (2 + static_cast<double>(tags) / 2) * kEpsilonOfCrf * size);
      }
      for (std::size_t i = 0; i < tags; ++i) {
        for (std::size_t j = 0; j < tags; ++j) {
          const std::size_t at = i * tags + j;
          double sum = 0;
          for (std::size_t k = 0; k < pairs; ++k) {
            sum += double{job.from[k * tags + i]} * double{job.to[k * tags + j]};
          }
          sum *= i < first || i >= first + rows ? 0 : double{job.scores[at]};
          ASSERT_NEAR(job.sums[at], before.sums[at] + sum,
                      (3 + static_cast<double>(pairs) / 2) * kEpsilonOfCrf *
                          (sum + std::abs(before.sums[at])));
        }
      }
      CrfJob expected = before;
      specification_.sum_powers(expected.step(true));
      specification_.count_powers(expected.count(first, rows));
      EXPECT_TRUE(job.result.same_bits(expected.result));
      EXPECT_TRUE(job.sums.same_bits(expected.sums));
    }
  }
}

TEST_P(CrfKernelTest, RaisesSums) {
  for (const std::size_t tags : tag_sizes()) {
    CrfJob job = CrfJob::random(tags, 1, 3.0F);
    const auto count = static_cast<std::int64_t>(tags);
    kernels_.exp(count, job.from.data(), job.emissions.data(), 0.3F, job.result.data());
    for (std::size_t j = 0; j < tags; ++j) {
      const double sum = double{job.from[j]} + double{job.emissions[j]};
      ASSERT_NEAR(job.result[j] / (0.3F * std::exp(sum)), 1,
                  (3 + 2 * std::abs(sum)) * kEpsilonOfCrf);
    }
    CrfJob expected = CrfJob::random(tags, 1, 3.0F);
    specification_.exp(count, expected.from.data(), expected.emissions.data(), 0.3F,
                       expected.result.data());
    EXPECT_TRUE(job.result.same_bits(expected.result));
    kernels_.exp(count, job.from.data(), job.emissions.data(), 0.3F, job.emissions.data());
    EXPECT_TRUE(job.emissions.same_bits(job.result));
  }
}

TEST_P(CrfKernelTest, ShowsWhatIsNotANumber) {
  for (const std::size_t tags : std::vector<std::size_t>{2, 17, 40}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
      for (std::size_t at = 0; at < tags; ++at) {
        CrfJob job = CrfJob::random(tags, 1, 1.0F);
        job.from.data()[at] = bad;
        kernels_.sum(job.step(true));
        for (std::size_t j = 0; j < tags; ++j) EXPECT_FALSE(std::isfinite(job.result[j]));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, CrfKernelTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
