// Forward and backward of one core over 500 steps of an LSTM whose head reads the last one: N 32,
// I and H 128. With forget gates of 0.9 the gradient stays a normal number down to the first step;
// with those of 0.8 and 0.5 it is denormal on the way. Each with denormal numbers as they are, and
// taken as 0.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/training/network.h"
#include "kernels/simd/denormals.h"

namespace quadgate {
namespace {

constexpr std::int64_t kSteps = 500;
constexpr std::int64_t kRows = 32;
constexpr std::int64_t kSize = 128;

/// Weights so small that the biases decide what the gates are: 0.5, but the forget gates.
void set_forget_gates(Parameters& parameters, float gate) {
  parameters.initialize(1);
  ParameterEditor editor = parameters.edit();
  for (const char* name : {"rnn.weight_ih_l0", "rnn.weight_hh_l0"}) {
    for (float& weight : editor.value(name)) weight *= 0.05F;
  }
  std::ranges::fill(editor.value("rnn.bias_hh_l0"), 0.0F);
  const auto bias = editor.value("rnn.bias_ih_l0");
  std::ranges::fill(bias, 0.0F);
  std::ranges::fill(bias.subspan(kSize, kSize), std::log(gate / (1 - gate)));
}

void differentiate(benchmark::State& state) {
  Arena arena(1);
  Network network({.rnn = {.input_size = kSize, .hidden_size = kSize}, .output_size = 10}, kSteps,
                  kRows, arena);
  set_forget_gates(network.parameters(), static_cast<float>(state.range(0)) / 100);
  Batch batch;
  for (std::int64_t row = 0; row <= kRows; ++row) batch.offsets.push_back(row * kSteps);
  for (std::int64_t row = 0; row < kRows; ++row) batch.labels.push_back(row % 10);
  for (std::int64_t i = 0; i < kRows * kSteps * kSize; ++i) {
    batch.x.push_back(static_cast<float>(i * 7919 % 2001 - 1000) / 1000);
  }
  std::optional<kernels::FlushDenormals> flush;
  if (state.range(1) != 0) flush.emplace();
  for (auto _ : state) network.differentiate(batch, {});
}

BENCHMARK(differentiate)
    ->ArgNames({"forget_percent", "flush"})
    ->ArgsProduct({{90, 80, 50}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace quadgate
