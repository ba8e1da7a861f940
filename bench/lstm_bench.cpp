// One core's forward and backward passes of the LSTM stack over a slice, at shapes from small to
// large: T, n, I, H, layers. The flops are those of the matrix products.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "engine/onednn/lstm_stack.h"
#include "engine/threads/arena.h"

namespace quadgate {
namespace {

// A stack and a full-length slice to run it on.
class Stack {
 public:
  explicit Stack(const benchmark::State& state)
      : seq_len_(state.range(0)),
        config_{.input_size = state.range(2),
                .hidden_size = state.range(3),
                .num_layers = state.range(4)},
        parameters_({.rnn = config_, .task = Task::tagging, .output_size = 1}),
        weights_(config_, parameters_, seq_len_, state.range(1)),
        lengths_(static_cast<std::size_t>(state.range(1)), seq_len_),
        gradients_(weights_.gradient_size()) {
    parameters_.initialize(1);
    weights_.pack(arena_);
    arena_.for_each(
        1, [&](std::int64_t) { lstm_.emplace(config_, weights_, seq_len_, state.range(1)); });
  }

  void forward() {
    arena_.for_each(1, [&](std::int64_t) { forward_.emplace(lstm_->forward(lengths_, nullptr)); });
  }
  void backward() {
    arena_.for_each(1, [&](std::int64_t) { lstm_->backward(forward_.value(), gradients_.data()); });
  }

  // Two flops for each weight, row and step.
  double forward_flops() const {
    double weights = 0;
    for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
      weights += static_cast<double>(4 * config_.hidden_size *
                                     (config_.layer_input_size(layer) + config_.hidden_size));
    }
    return 2 * weights * static_cast<double>(seq_len_) * static_cast<double>(lengths_.size());
  }

 private:
  std::int64_t seq_len_;
  RecurrentConfig config_;
  Arena arena_{1};
  Parameters parameters_;
  onednn::StackWeights weights_;
  std::vector<std::int64_t> lengths_;
  std::vector<float> gradients_;
  std::optional<onednn::LstmStack> lstm_;
  std::optional<onednn::LstmStack::Forward> forward_;
};

void report_flops(benchmark::State& state, double flops) {
  state.counters["flops"] =
      benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

void lstm_forward(benchmark::State& state) {
  Stack stack(state);
  for (auto _ : state) stack.forward();
  report_flops(state, stack.forward_flops());
}

void lstm_backward(benchmark::State& state) {
  Stack stack(state);
  stack.forward();
  for (auto _ : state) stack.backward();
  report_flops(state, 2 * stack.forward_flops());
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"T", "n", "I", "H", "layers"})
      ->Args({50, 64, 64, 64, 1})
      ->Args({35, 20, 200, 200, 2})
      ->Args({50, 64, 256, 256, 2})
      ->Args({50, 64, 512, 512, 1})
      ->Args({20, 1, 32, 64, 1})
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK(lstm_forward)->Apply(shapes);
BENCHMARK(lstm_backward)->Apply(shapes);

}  // namespace
}  // namespace quadgate
