// The start of training: drawing all weights of a word language model (33,278 words, H 650, 2
// layers), and orthogonal weight_hh of one layer of LSTM, on 1 and 2 cores.

#include <benchmark/benchmark.h>

#include "engine/model/initialization.h"
#include "engine/model/parameters.h"
#include "engine/threads/arena.h"

namespace quadgate {
namespace {

void all_weights(benchmark::State& state) {
  Arena arena(static_cast<int>(state.range(0)));
  Parameters parameters({.rnn = {.input_size = 650, .hidden_size = 650, .num_layers = 2},
                         .task = Task::tagging,
                         .output_size = 33278,
                         .embedding = {.vocabulary_size = 33278}});
  for (auto _ : state) parameters.initialize(1, &arena);
}

void orthogonal(benchmark::State& state) {
  Arena arena(static_cast<int>(state.range(0)));
  const RecurrentConfig config{.input_size = 1, .hidden_size = state.range(1)};
  Parameters parameters(config);
  for (auto _ : state) make_orthogonal(config, parameters, 1, &arena);
}

BENCHMARK(all_weights)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(orthogonal)
    ->ArgNames({"threads", "H"})
    ->ArgsProduct({{1, 2}, {256, 1024}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace quadgate
