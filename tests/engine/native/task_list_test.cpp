#include "engine/native/task_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <vector>

#include "engine/native/cell_kernels.h"
#include "engine/native/embedding.h"
#include "engine/native/stack.h"
#include "engine/native/vocabulary_head.h"
#include "tests/support/stack_run.h"

namespace quadgate::native {
namespace {

/// Enough work that every core of the arena takes part.
constexpr std::int64_t kMuch = 1'000'000'000;

class TaskListTest : public ::testing::Test {
 protected:
  /// Passes that the tasks here do not look at.
  testing::StackRun pass_{{.input_size = 1, .hidden_size = 1}, Precision::f32, 1};
};

TEST_F(TaskListTest, HasTheLargestFirstAndEqualOnesAsTheyWereAdded) {
  TaskList tasks;
  std::int64_t squares = 0;
  for (const double cost : {1.0, 7.0, 3.0, 7.0, 9.0, 1.0}) {
    tasks.add({.cost = cost, .squares = ++squares, .run = {}});
  }
  std::vector<std::int64_t> order;
  for (const auto& task : tasks.tasks()) order.push_back(task.squares);
  EXPECT_EQ(order, (std::vector<std::int64_t>{5, 2, 4, 3, 1, 6}));
}

TEST_F(TaskListTest, KeepsEqualTasksOfALayerAndAGroupTogether) {
  TaskList tasks;
  std::int64_t squares = 0;
  for (const std::int64_t layer : {1, 0}) {
    for (const std::int64_t group : {4, 0, 4, 0}) {
      tasks.add({.cost = 1, .group = group, .layer = layer, .squares = ++squares, .run = {}});
    }
  }
  tasks.add({.cost = 2, .group = 9, .layer = 9, .squares = ++squares, .run = {}});
  std::vector<std::int64_t> order;
  for (const auto& task : tasks.tasks()) order.push_back(task.squares);
  EXPECT_EQ(order, (std::vector<std::int64_t>{9, 6, 8, 5, 7, 2, 4, 1, 3}));
}

/// Runs four tasks of these costs and layers on two cores. The first one waits for the others.
/// Returns the numbers of these as they began.
std::vector<int> others_of_four(const Differentiated& pass, const std::array<double, 4>& costs,
                                const std::array<std::int64_t, 4>& layers) {
  constexpr auto kPatience = std::chrono::seconds(20);
  Arena arena(2);
  Workers workers(RecurrentConfig{.input_size = 1, .hidden_size = 1}, kMuch, 0,
                  kernels::detected_isa(), arena);
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> others;
  TaskList tasks;
  for (int i = 0; i < 4; ++i) {
    const auto run = [&, i](const Differentiated&, double* square) {
      std::unique_lock lock(mutex);
      *square = 0;
      if (i == 0) {
        EXPECT_TRUE(changed.wait_for(lock, kPatience, [&] { return others.size() == 3; }));
        return;
      }
      others.push_back(i);
      changed.notify_one();
    };
    const auto index = static_cast<std::size_t>(i);
    tasks.add({.cost = costs[index], .layer = layers[index], .run = run});
  }
  tasks.run(workers, pass);
  return others;
}

TEST_F(TaskListTest, ACoreTakesItsShareOfEqualTasksAndThenHelps) {
  EXPECT_EQ(others_of_four(pass_.backward(), {1, 1, 1, 1}, {0, 1, 0, 1}),
            (std::vector<int>{1, 3, 2}));
}

TEST_F(TaskListTest, ACoreHasAShareOfTheTasksOfEachCost) {
  EXPECT_EQ(others_of_four(pass_.backward(), {2, 1, 2, 1}, {0, 0, 0, 0}),
            (std::vector<int>{2, 3, 1}));
}

TEST_F(TaskListTest, RunsEachTaskOnceForAnyNumberOfCores) {
  for (const int threads : {1, 2, 3, 7}) {
    Arena arena(threads);
    Workers workers(RecurrentConfig{.input_size = 1, .hidden_size = 1}, kMuch, 0,
                    kernels::detected_isa(), arena);
    std::array<std::atomic<int>, 5> runs{};
    TaskList tasks;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      tasks.add(
          {.cost = i == 2 ? 2.0 : 1.0, .run = [&runs, i](const Differentiated&, double* square) {
             ++runs[i];
             *square = 1;
           }});
    }
    for (int pass = 1; pass <= 3; ++pass) {
      EXPECT_EQ(tasks.run(workers, pass_.backward()), runs.size()) << threads;
      for (const auto& count : runs) EXPECT_EQ(count, pass) << threads;
    }
  }
}

TEST_F(TaskListTest, SumsSquaresAsTheTasksWereAddedAtAnyNumberOfThreads) {
  // In any other order, one of the small numbers is lost in a sum with 1e16 or is not.
  constexpr std::array<double, 5> kSquares{1.0, 1.0, 1e16, 1.0, 1.0};
  const double expected = std::accumulate(kSquares.begin(), kSquares.end(), 0.0);
  for (const int threads : {1, 2, 5}) {
    Arena arena(threads);
    Workers workers(RecurrentConfig{.input_size = 1, .hidden_size = 1}, kMuch, 0,
                    kernels::detected_isa(), arena);
    TaskList tasks;
    tasks.add({.cost = 1, .squares = 2, .run = [&](const Differentiated&, double* squares) {
                 std::copy_n(kSquares.data(), 2, squares);
               }});
    tasks.add(
        {.cost = 3, .run = [&](const Differentiated&, double* square) { *square = kSquares[2]; }});
    tasks.add({.cost = 2, .squares = 2, .run = [&](const Differentiated&, double* squares) {
                 std::copy_n(kSquares.data() + 3, 2, squares);
               }});
    EXPECT_EQ(tasks.run(workers, pass_.backward()), expected) << threads;
    EXPECT_EQ(tasks.run(workers, pass_.backward()), expected) << threads << ", again";
  }
}

TEST_F(TaskListTest, RunsThoseOfALayerByWhatTheyWriteToAndTells) {
  Arena arena(1);
  Workers workers(RecurrentConfig{.input_size = 1, .hidden_size = 1}, kMuch, 0,
                  kernels::detected_isa(), arena);
  std::vector<std::size_t> ran;
  std::vector<std::size_t> told;
  TaskList tasks;
  const auto add = [&](std::int64_t layer, std::size_t begin, double square) {
    tasks.add({.cost = square,
               .layer = layer,
               .writes = {{begin, 1}, {begin + 1, 1}},
               .run = [&ran, begin, square](const Differentiated&, double* its_square) {
                 ran.push_back(begin);
                 *its_square = square;
               }});
  };
  add(1, 30, 1);
  add(0, 10, 2);
  add(1, 20, 4);
  add(0, 0, 8);
  const GradientListener listener = [&](const FlatRange& range) { told.push_back(range.begin); };
  tasks.run_layer(workers, pass_.backward(), 1, listener);
  EXPECT_EQ(ran, (std::vector<std::size_t>{20, 30}));
  EXPECT_EQ(told, (std::vector<std::size_t>{20, 21, 30, 31}));
  tasks.run_layer(workers, pass_.backward(), 2, listener);
  tasks.run_layer(workers, pass_.backward(), 0, listener);
  EXPECT_EQ(ran, (std::vector<std::size_t>{20, 30, 0, 10}));
  EXPECT_EQ(tasks.sum_of_squares(), 15);
}

TEST_F(TaskListTest, CountsTheTimeOfATaskInItsPhase) {
  Arena arena(2);
  Workers workers(RecurrentConfig{.input_size = 1, .hidden_size = 1}, kMuch, 0,
                  kernels::detected_isa(), arena);
  TaskList tasks;
  tasks.add({.phase = Phase::head_and_loss,
             .run = [](const Differentiated&, double* square) { *square = 0; }});
  tasks.run(workers, pass_.backward());
  EXPECT_GT(workers.times()[Phase::head_and_loss], 0);
  EXPECT_EQ(workers.times()[Phase::weight_gradients], 0);
}

TEST_F(TaskListTest, NoTaskOfAWordLanguageModelIsMoreThanASixtyFourthOfThem) {
  const ModelConfig model{.rnn = {.input_size = 200, .hidden_size = 200, .num_layers = 2},
                          .task = Task::tagging,
                          .output_size = 8869,
                          .embedding = {.vocabulary_size = 8869}};
  const NetworkPlan plan{.model = model, .seq_len = 35, .batch_size = 20, .options = {}};
  Parameters parameters(model);
  GradientBuffer gradient(parameters);
  Stack stack({.config = model.rnn,
               .prefix = "rnn.",
               .seq_len = plan.seq_len,
               .batch_size = plan.batch_size,
               .cores = 2,
               .has_d_input = true,
               .isa = plan.isa},
              parameters, gradient);
  ASSERT_TRUE(VocabularyHead::fits(model));
  const VocabularyHead head(plan, cell_kernels(Cell::lstm, kernels::Arithmetic::floats, plan.isa),
                            parameters, gradient);
  Embedding embedding(model, plan.seq_len * plan.batch_size, plan.isa, parameters, gradient);
  TaskList list;
  stack.add_gradient_tasks(list);
  embedding.add_gradient_tasks(list, stack.d_input());
  std::vector<double> costs;
  for (const GradientTask& task : list.tasks()) costs.push_back(task.cost);
  for (const FlatRange& part : head.gradient_ranges()) {  // of weights, and of their biases
    costs.push_back(static_cast<double>(plan.seq_len * plan.batch_size) *
                    static_cast<double>(part.size));
  }
  EXPECT_LE(std::ranges::max(costs), std::accumulate(costs.begin(), costs.end(), 0.0) / 64);
}

}  // namespace
}  // namespace quadgate::native
