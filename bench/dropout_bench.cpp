// A whole training step of one core, plain and with each kind of dropout, at two shapes: T, N, H
// (the input's size as well), two layers, a head of 10 classes at every step, Adam.

#include <benchmark/benchmark.h>

#include <utility>

#include "engine/training/trainer.h"

namespace quadgate {
namespace {

/// Random-looking features and labels for every step.
Batch full_batch(const ModelConfig& config, std::int64_t seq_len, std::int64_t rows) {
  Batch batch;
  for (std::int64_t row = 0; row <= rows; ++row) batch.offsets.push_back(row * seq_len);
  for (std::int64_t i = 0; i < batch.steps() * config.rnn.input_size; ++i) {
    batch.x.push_back(static_cast<float>(i * 7919 % 2001 - 1000) / 1000);
  }
  for (std::int64_t step = 0; step < batch.steps(); ++step) {
    batch.labels.push_back(step * 31 % config.output_size);
  }
  return batch;
}

void step(benchmark::State& state, const RecurrentConfig& dropouts) {
  ModelConfig config{.rnn = dropouts, .task = Task::tagging, .output_size = 10};
  config.rnn.input_size = config.rnn.hidden_size = state.range(2);
  config.rnn.num_layers = 2;
  Arena arena(1);
  Network network(config, state.range(0), state.range(1), arena);
  network.parameters().initialize(1);
  Trainer trainer(network, {.lr = 1e-5, .clip_norm = 1.0}, 1);
  const Batch batch = full_batch(config, state.range(0), state.range(1));
  for (auto _ : state) trainer.step(batch);
}

void register_all() {
  const std::pair<const char*, RecurrentConfig> kinds[] = {
      {"plain", {}},
      {"dropout", {.dropout = 0.5}},
      {"everywhere", {.dropout = 0.5, .input_dropout = 0.5, .output_dropout = 0.5}},
      {"everywhere_locked",
       {.dropout = 0.5, .input_dropout = 0.5, .output_dropout = 0.5, .locked_dropout = true}},
      {"weight_dropout", {.weight_dropout = 0.5}}};
  for (const auto& [name, config] : kinds) {
    benchmark::RegisterBenchmark(name, step, config)
        ->ArgNames({"T", "N", "H"})
        ->Args({50, 64, 256})
        ->Args({35, 64, 128})
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace quadgate

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  quadgate::register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
