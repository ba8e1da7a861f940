// Sweeps both backends, tasks, optimizers, directions, dropout and batches of changing size, and
// the exchange of gradients between ranks: after three steps, ten more allocate nothing in our
// code. No tolerance: every call of operator new is counted, under the module of the code that made
// it.

#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cluster/gradient_exchange.h"
#include "engine/training/sharded_network.h"
#include "engine/training/trainer.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"
#include "tests/support/in_process_ranks.h"

namespace {

/// Calls of operator new while `counting`.
struct Counts {
  std::atomic<bool> counting = false;
  std::atomic<int> ours = 0;
  std::atomic<int> onednn = 0;
  std::atomic<int> others = 0;  // libtbb
};
Counts counts;

std::string_view module_of(void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

bool is_cpp_library(void* address) {
  return module_of(address).find("libstdc++") != std::string_view::npos;
}

/// `caller`, or who called the C++ library if it lies in there.
void* responsible(void* caller) {
  if (!is_cpp_library(caller)) return caller;
  std::array<void*, 32> stack{};
  const int depth = backtrace(stack.data(), static_cast<int>(stack.size()));
  const auto end = stack.begin() + depth;
  const auto library = std::find_if(stack.begin(), end, is_cpp_library);
  const auto found = std::find_if_not(library, end, is_cpp_library);
  return found == end ? caller : *found;
}

void count_allocation(void* caller) {
  const auto module = module_of(responsible(caller));
  if (module == module_of(reinterpret_cast<void*>(&count_allocation))) {
    ++counts.ours;
  } else if (module.find("libdnnl") != std::string_view::npos) {
    ++counts.onednn;
  } else {
    ++counts.others;
  }
}

void* allocate(std::size_t size, std::size_t alignment, void* caller) {
  if (counts.counting) count_allocation(caller);
  const std::size_t whole =
      (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Out of line, where gcc cannot take it for the counterpart of another operator new.
[[gnu::noinline]] void release(void* memory) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace

// The other forms of new and delete call these.
void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t), __builtin_return_address(0));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace quadgate {
namespace {

struct Case {
  const char* name;
  ModelConfig model;
  OptimizerConfig optimizer;
};

/// Counts the allocations of `body`.
template <typename Body>
void count(Body body) {
  std::array<void*, 1> stack{};
  backtrace(stack.data(), 1);  // its first call allocates
  counts.ours = counts.onednn = counts.others = 0;
  counts.counting = true;
  body();
  counts.counting = false;
}

class AllocationTest : public ::testing::TestWithParam<std::tuple<Case, BackendKind>> {};

/// Counts those of ten steps after the first three.
void count_steps(const Case& test, const NetworkOptions& options) {
  const ModelConfig& model = test.model;
  Arena arena(2);
  Network network(model, 8, 40, arena, options);
  network.parameters().initialize(1);
  Trainer trainer(network, test.optimizer, 1);
  testing::Random random(1);
  const Batch whole = random_batch(model, random_lengths(40, 8, random), random);
  const Batch smaller = random_batch(model, random_lengths(17, 6, random), random);
  const auto train = [&](int steps) {
    for (int step = 0; step < steps; ++step) trainer.step(step % 3 == 2 ? smaller : whole);
  };
  constexpr int kSteps = 10;
  train(3);
  count([&] { train(kSteps); });
  EXPECT_EQ(counts.ours, 0);
  std::printf("oneDNN called operator new %g times a step, TBB %g times\n",
              counts.onednn / double{kSteps}, counts.others / double{kSteps});
}

TEST_P(AllocationTest, StepsInSteadyStateAllocateNothing) {
  const auto& [test, backend] = GetParam();
  count_steps(test, {.backend = backend});
}

TEST(ConsistentAllocationTest, StepsInSteadyStateAllocateNothing) {
  count_steps({"SparseTagger",
               {.rnn = {.input_size = 6, .hidden_size = 20},
                .task = Task::tagging,
                .output_size = 4,
                .embedding = {.vocabulary_size = 1000}},
               {.clip_norm = 1.0}},
              {.precision = Precision::bf16, .arithmetic = Arithmetic::consistent});
}

TEST(Bf16AllocationTest, StepsOfManyClassesAllocateNothing) {
  count_steps({"LanguageModel",
               {.rnn = {.input_size = 6, .hidden_size = 20},
                .task = Task::tagging,
                .output_size = 300,
                .embedding = {.vocabulary_size = 300}},
               {.clip_norm = 1.0}},
              {.precision = Precision::bf16, .arithmetic = Arithmetic::fastest});
}

TEST_P(AllocationTest, StepsOfSeveralShardsAllocateNothing) {
  const auto& [test, backend] = GetParam();
  cluster::Communicator alone;
  Arena arena(2);
  Network network(test.model, 8, 10, arena, {.backend = backend});
  network.parameters().initialize(1);
  ShardedNetwork shards(network, alone, 40, 4);
  Trainer trainer(network, test.optimizer, 1, &shards);
  testing::Random random(1);
  const Batch whole = random_batch(test.model, random_lengths(40, 8, random), random);
  const Batch smaller = random_batch(test.model, random_lengths(3, 6, random), random);
  const auto train = [&](int steps) {
    for (int step = 0; step < steps; ++step) trainer.step(step % 3 == 2 ? smaller : whole);
  };
  train(3);
  count([&] { train(6); });
  EXPECT_EQ(counts.ours, 0);
}

TEST_P(AllocationTest, EvaluationAndPredictionAllocateNothing) {
  const auto& [test, backend] = GetParam();
  const ModelConfig& model = test.model;
  Arena arena(2);
  testing::Random random(1);
  const Batch batch = random_batch(model, random_lengths(40, 8, random), random);
  const std::int64_t rows = model.task == Task::tagging ? batch.steps() : batch.rows();
  std::vector<float> outputs(static_cast<std::size_t>(rows * model.output_size));
  for (const bool forward_only : {false, true}) {
    Network network(model, 8, 40, arena, {.backend = backend, .forward_only = forward_only});
    const auto run = [&] {
      network.evaluate(batch);
      network.predict(batch, outputs);
    };
    run();
    count(run);
    EXPECT_EQ(counts.ours, 0) << "forward_only: " << forward_only;
  }
}

/// Steps of a rank that exchange gradients of several shards.
class ExchangeSteps {
 public:
  ExchangeSteps(cluster::Communicator& communicator, std::int64_t shards)
      : communicator_(communicator),
        exchange_(communicator, kSize, shards),
        gradient_(kSize, 1.0F),
        weights_(kSize),
        ranks_(static_cast<std::size_t>(communicator.world_size())) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      for (std::int64_t i = exchange_.first_shard(); i < exchange_.last_shard(); ++i) {
        i % 5 == 4 ? exchange_.add_absent() : exchange_.add(gradient_);
      }
      exchange_.sum_of_squares(exchange_.reduce_scatter());
      exchange_.all_gather(weights_);
      run_ahead();
      const double loss = 1;
      communicator_.all_gather(std::as_bytes(std::span(&loss, 1)),
                               std::as_writable_bytes(std::span(ranks_)));
    }
  }

 private:
  void run_ahead() {
    for (std::int64_t i = exchange_.first_shard(); i + 1 < exchange_.last_shard(); ++i) {
      exchange_.add(gradient_);
    }
    exchange_.begin_last(gradient_);
    for (std::size_t bucket = exchange_.buckets(); bucket-- > 0;) exchange_.release(bucket);
    exchange_.reduce_scatter();
    exchange_.begin_all_gather(weights_);
    exchange_.wait_for({0, 10});
  }

  static constexpr std::size_t kSize = 600'000;  // three buckets

  cluster::Communicator& communicator_;
  cluster::GradientExchange exchange_;
  std::vector<float> gradient_;
  std::vector<float> weights_;
  std::vector<double> ranks_;
};

TEST(ExchangeAllocationTest, StepsInSteadyStateAllocateNothing) {
  for (const auto& [ranks, shards] : {std::pair(2, 2), {2, 16}, {3, 12}, {4, 4}, {5, 13}}) {
    testing::InProcessRanks run(ranks);
    run.network().reserve(100, cluster::Messenger::kPiece);
    std::barrier all(ranks);
    run.run([&, shards = shards](cluster::Communicator& communicator) {
      ExchangeSteps steps(communicator, shards);
      steps.run(3);
      all.arrive_and_wait();
      const auto measured = [&] {
        all.arrive_and_wait();
        steps.run(10);
        all.arrive_and_wait();
      };
      communicator.rank() == 0 ? count(measured) : measured();
      all.arrive_and_wait();
    });
    EXPECT_EQ(counts.ours, 0) << ranks << " ranks";
  }
}

TEST(AllocationCounterTest, CountsWhatWeAllocate) {
  count([] { std::vector<int>(3).swap(*std::make_unique<std::vector<int>>(5)); });
  EXPECT_EQ(counts.ours, 3);
  std::string text(100, 'x');
  count([&] { text.reserve(1000); });  // inside of the C++ library, for us
  EXPECT_EQ(counts.ours, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, AllocationTest,
    ::testing::Combine(
        ::testing::Values(Case{"MaxOfSmoothedClasses",
                               {.rnn = {.input_size = 5, .hidden_size = 32, .bidirectional = true},
                                .output_size = 3,
                                .pooling = Pooling::max,
                                .loss = {.label_smoothing = 0.1, .class_weights = {1, 2, 3}}},
                               {.clip_norm = 1.0}},
                          Case{"EveryDropout",
                               {.rnn = {.input_size = 5,
                                        .hidden_size = 32,
                                        .num_layers = 2,
                                        .dropout = 0.3,
                                        .input_dropout = 0.2,
                                        .output_dropout = 0.4,
                                        .locked_dropout = true,
                                        .weight_dropout = 0.5},
                                .output_size = 3},
                               {.clip_norm = 1.0}},
                          Case{"MeanOfHuberValues",
                               {.rnn = {.input_size = 5, .hidden_size = 32},
                                .task = Task::regression,
                                .output_size = 3,
                                .pooling = Pooling::mean,
                                .loss = {.kind = LossKind::huber}},
                               {.clip_norm = 1.0}}),
        testing::both_backends()),
    [](const auto& test) {
      return testing::with_backend(std::get<0>(test.param).name, std::get<1>(test.param));
    });

INSTANTIATE_TEST_SUITE_P(
    Models, AllocationTest,
    ::testing::Combine(
        ::testing::Values(
            Case{"Classifier",
                 {.rnn = {.input_size = 5, .hidden_size = 32}, .output_size = 4},
                 {.clip_norm = 1.0}},
            Case{"BidirectionalTaggerWithDropout",
                 {.rnn = {.input_size = 3,
                          .hidden_size = 9,
                          .num_layers = 2,
                          .bidirectional = true,
                          .dropout = 0.3},
                  .task = Task::tagging,
                  .output_size = 5},
                 {.kind = OptimizerConfig::Kind::adamw, .weight_decay = 0.1, .clip_norm = 1.0}},
            Case{"Regression",
                 {.rnn = {.input_size = 2, .hidden_size = 40, .num_layers = 2},
                  .task = Task::regression,
                  .output_size = 3},
                 {.kind = OptimizerConfig::Kind::sgd, .momentum = 0.9, .clip_norm = {}}},
            Case{"AccumulatingRmsprop",
                 {.rnn = {.input_size = 5, .hidden_size = 32}, .output_size = 4},
                 {.kind = OptimizerConfig::Kind::rmsprop,
                  .momentum = 0.9,
                  .centered = true,
                  .clip_norm = 1.0,
                  .accumulate_steps = 4}}),
        testing::both_backends()),
    [](const auto& test) {
      return testing::with_backend(std::get<0>(test.param).name, std::get<1>(test.param));
    });

INSTANTIATE_TEST_SUITE_P(
    Tokens, AllocationTest,
    ::testing::Combine(
        ::testing::Values(Case{"TokenTagger",
                               {.rnn = {.input_size = 6, .hidden_size = 20, .bidirectional = true},
                                .task = Task::tagging,
                                .output_size = 4,
                                .embedding = {.vocabulary_size = 1000}},
                               {.clip_norm = 1.0}},
                          Case{"LanguageModel",
                               {.rnn = {.input_size = 6, .hidden_size = 20},
                                .task = Task::tagging,
                                .output_size = 1100,
                                .embedding = {.vocabulary_size = 1100}},
                               {.clip_norm = 1.0}},
                          Case{"CrfTagger",
                               {.rnn = {.input_size = 6, .hidden_size = 20, .bidirectional = true},
                                .task = Task::tagging,
                                .output_size = 20,
                                .embedding = {.vocabulary_size = 1000},
                                .crf = true},
                               {.clip_norm = 1.0}},
                          Case{"ConvolvedTokens",
                               {.rnn = {.input_size = 6, .hidden_size = 20},
                                .output_size = 4,
                                .embedding = {.vocabulary_size = 1000},
                                .conv = ConvConfig{.input_size = 5,
                                                   .channels = 6,
                                                   .kernel_size = 3,
                                                   .padding = 2,
                                                   .pool_size = 2}},
                               {.clip_norm = 1.0}},
                          Case{"NormalizedForecast",
                               {.rnn = {.input_size = 6, .hidden_size = 20},
                                .task = Task::regression,
                                .output_size = 2,
                                .normalization = {.kind = Normalize::instance, .columns = {5, 0}}},
                               {.clip_norm = 1.0}}),
        testing::both_backends()),
    [](const auto& test) {
      return testing::with_backend(std::get<0>(test.param).name, std::get<1>(test.param));
    });

}  // namespace
}  // namespace quadgate
