// A bidirectional LSTM in C++ as one would write it with torch::nn::LSTM: forward over sequences of
// different lengths, a loss, backward, and a step of Adam. docs/recurrent.md explains it.

#include <cstdio>
#include <utility>
#include <vector>

#include "engine/threads/arena.h"
#include "engine/training/optimizer.h"
#include "engine/training/recurrent.h"

int main() {
  constexpr std::int64_t kSteps = 12;
  constexpr std::int64_t kSequences = 4;
  quadgate::Arena arena(2);  // cores
  quadgate::Recurrent lstm({.input_size = 3, .hidden_size = 16, .bidirectional = true},
                           {.seq_len = kSteps, .batch_size = kSequences, .batch_first = true},
                           arena);
  quadgate::Optimizer adam({.lr = 1e-2}, lstm.parameters().values().size());

  std::vector<float> x(kSequences * kSteps * 3);  // [N, T, I]
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) / 7.0F - 0.5F;
  const std::vector<std::int64_t> lengths{12, 9, 12, 3};

  double first = 0;
  double last = 0;
  for (int step = 0; step < 50; ++step) {
    auto forward =
        lstm.forward({.x = x, .seq_len = kSteps, .batch = kSequences, .lengths = lengths});
    const auto y = forward.output();
    std::vector<float> d_y(
        y.size());  // of the loss, the sum of (y - 0.1)^2 / 2 over all real steps
    last = 0;
    for (std::size_t row = 0; row < kSequences; ++row) {
      const std::size_t begin = row * kSteps * 32;  // 2 directions of 16
      const std::size_t end = begin + static_cast<std::size_t>(lengths[row]) * 32;
      for (std::size_t i = begin; i < end; ++i) {
        d_y[i] = y[i] - 0.1F;
        last += d_y[i] * d_y[i] / 2;
      }
    }
    if (step == 0) first = last;
    const auto backward = lstm.backward(std::move(forward), d_y);
    adam.step(arena, lstm.parameters(), backward.gradient());
  }
  for (const auto& slice : lstm.parameters().slices()) std::printf("%s\n", slice.name.c_str());
  std::printf("loss %.3f, after 50 steps %.3f\n", first, last);
  return last < first / 2 ? 0 : 1;
}
