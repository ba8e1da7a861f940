// The data of examples/long_memory have the form that the paper gives them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <vector>

#include "examples/long_memory/problems.h"

namespace long_memory {
namespace {

using quadgate::Batch;

Batch batch_of(Problem problem, std::int64_t lag, std::uint32_t number, std::uint64_t seed = 7) {
  Batch batch;
  BatchStream{problem, lag, 64, seed}.fill(number, batch);
  return batch;
}

TEST(LongMemoryAdding, TargetIsTheSumOfOneMarkedNumberOfEachHalf) {
  constexpr std::int64_t kLag = 13;
  const Batch batch = batch_of(Problem::adding, kLag, 0);
  ASSERT_EQ(batch.rows(), 64);
  ASSERT_EQ(batch.steps(), 64 * kLag);
  ASSERT_EQ(batch.targets.size(), 64U);
  std::set<std::int64_t> marked;
  for (std::size_t row = 0; row < 64; ++row) {
    float sum = 0;
    std::vector<std::int64_t> marks;
    for (std::int64_t t = 0; t < kLag; ++t) {
      const float* const step = &batch.x[(row * kLag + static_cast<std::size_t>(t)) * 2];
      EXPECT_TRUE(step[0] >= 0 && step[0] < 1) << step[0];
      EXPECT_TRUE(step[1] == 0 || step[1] == 1) << step[1];
      sum += step[0] * step[1];
      if (step[1] == 1) marks.push_back(t);
    }
    ASSERT_EQ(marks.size(), 2U);
    EXPECT_LT(marks[0], kLag / 2);
    EXPECT_GE(marks[1], kLag / 2);
    EXPECT_EQ(batch.targets[row], sum);
    marked.insert(marks.begin(), marks.end());
  }
  EXPECT_EQ(marked.size(), static_cast<std::size_t>(kLag));  // any step may be marked
}

// What always answers 1 has an error of 2 Var U(0, 1) = 1/6.
TEST(LongMemoryAdding, NumbersAreUniform) {
  double squares = 0;
  for (std::uint32_t number = 0; number < 200; ++number) {
    for (const float target : batch_of(Problem::adding, 10, number).targets) {
      squares += (target - 1) * (target - 1);
    }
  }
  EXPECT_NEAR(squares / (200 * 64), 1.0 / 6, 0.006);  // 3 standard deviations
}

TEST(LongMemoryCopy, SymbolsThenBlanksASignalAndTheSymbolsAgain) {
  constexpr std::int64_t kLag = 6;
  const std::int64_t steps = seq_len(Problem::copy, kLag);
  ASSERT_EQ(steps, kLag + 2 * kRecalled);
  const Batch batch = batch_of(Problem::copy, kLag, 0);
  std::set<std::int64_t> seen;
  for (std::int64_t row = 0; row < 64; ++row) {
    std::vector<std::int64_t> symbols;
    for (std::int64_t t = 0; t < steps; ++t) {
      const float* const x = &batch.x[static_cast<std::size_t>((row * steps + t) * (kSignal + 1))];
      ASSERT_EQ(std::count(x, x + kSignal + 1, 1.0F), 1);
      ASSERT_EQ(std::accumulate(x, x + kSignal + 1, 0.0F), 1);
      symbols.push_back(std::find(x, x + kSignal + 1, 1.0F) - x);
    }
    const std::int64_t* const labels = &batch.labels[static_cast<std::size_t>(row * steps)];
    for (std::int64_t t = 0; t < steps; ++t) {
      const bool answer = t >= steps - kRecalled;
      const std::int64_t symbol = symbols[static_cast<std::size_t>(t)];
      if (t < kRecalled) {
        EXPECT_LT(symbol, kSymbols);
        EXPECT_EQ(labels[t + kRecalled + kLag], symbol);
        seen.insert(symbol);
      } else {
        EXPECT_EQ(symbol, t == kRecalled + kLag - 1 ? kSignal : kBlank) << "step " << t;
      }
      EXPECT_EQ(labels[t] == quadgate::kIgnoreIndex, !answer) << "step " << t;
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kSymbols));
}

TEST(LongMemoryProblems, ABatchIsAFunctionOfSeedAndNumber) {
  for (const Problem problem : {Problem::adding, Problem::copy}) {
    const Batch batch = batch_of(problem, 10, 3);
    EXPECT_EQ(batch.x, batch_of(problem, 10, 3).x);
    EXPECT_NE(batch.x, batch_of(problem, 10, 4).x);
    EXPECT_NE(batch.x, batch_of(problem, 10, 3, 8).x);
  }
}

// The trainer reuses its batch.
TEST(LongMemoryProblems, FillReplacesABatch) {
  for (const Problem problem : {Problem::adding, Problem::copy}) {
    Batch batch = batch_of(problem == Problem::adding ? Problem::copy : Problem::adding, 20, 0);
    BatchStream{problem, 10, 64, 7}.fill(3, batch);
    const Batch fresh = batch_of(problem, 10, 3);
    EXPECT_EQ(batch.x, fresh.x);
    EXPECT_EQ(batch.offsets, fresh.offsets);
    EXPECT_EQ(batch.labels, fresh.labels);
    EXPECT_EQ(batch.targets, fresh.targets);
  }
}

}  // namespace
}  // namespace long_memory
