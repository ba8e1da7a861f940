// How fast each kernel runs on each ISA that this machine has, on one core: the optimizers by the
// bytes they move, from arrays that fit the first cache to ones that fit none, cross-entropy by its
// rows, and the FMA peak.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/adam/adam.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/fma_peak/fma_peak.h"
#include "kernels/isa.h"
#include "kernels/sgd/sgd.h"

namespace quadgate::kernels {
namespace {

void adam(benchmark::State& state, Isa isa) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> grad(n, 0.1F);
  std::vector<float> exp_avg(n, 0.0F);
  std::vector<float> exp_avg_sq(n, 0.1F);
  std::vector<float> param(n, 1.0F);
  const AdamArgs args{.grad_scale = 1.0F,
                      .weight_decay = 0.0F,
                      .param_scale = 1.0F,
                      .one_minus_beta1 = 0.1F,
                      .beta2 = 0.999F,
                      .one_minus_beta2 = 0.001F,
                      .step_size = 1e-3F,
                      .inv_sqrt_bias_correction2 = 1.0F,
                      .eps = 1e-8F};
  const AdamKernel kernel = adam_kernel(isa);
  for (auto _ : state) {
    kernel(state.range(0), args, grad.data(), exp_avg.data(), exp_avg_sq.data(), param.data());
  }
  constexpr std::int64_t kArraysMoved = 4 + 3;
  state.SetBytesProcessed(state.iterations() * state.range(0) * kArraysMoved * 4);
}

void sgd(benchmark::State& state, Isa isa) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> grad(n, 0.1F);
  std::vector<float> momentum_buffer(n, 0.0F);
  std::vector<float> param(n, 1.0F);
  const SgdArgs args{.grad_scale = 1.0F, .weight_decay = 0.0F, .momentum = 0.9F, .lr = 1e-6F};
  const SgdKernel kernel = sgd_kernel(isa);
  for (auto _ : state) {
    kernel(state.range(0), args, grad.data(), momentum_buffer.data(), param.data());
  }
  constexpr std::int64_t kArraysMoved = 3 + 2;
  state.SetBytesProcessed(state.iterations() * state.range(0) * kArraysMoved * 4);
}

/// 64 rows of range(0) classes, with the gradient.
void cross_entropy(benchmark::State& state, Isa isa) {
  constexpr std::size_t kRows = 64;
  const auto classes = static_cast<std::size_t>(state.range(0));
  std::vector<float> logits(kRows * classes);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 7 % 31) / 8;
  const std::vector<std::int64_t> labels(kRows, 1);
  std::vector<float> gradient(logits.size());
  std::vector<float> losses(kRows);
  std::vector<std::int64_t> predictions(kRows);
  const CrossEntropyKernel kernel = cross_entropy_kernel(isa);
  for (auto _ : state) {
    kernel({.rows = kRows,
            .classes = state.range(0),
            .logits = logits.data(),
            .labels = labels.data(),
            .gradient_scale = 0.01F,
            .gradient = gradient.data(),
            .losses = losses.data(),
            .predictions = predictions.data()});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

void fma_peak(benchmark::State& state, Isa isa) {
  constexpr std::int64_t kRounds = 100'000;
  const FmaPeakKernel kernel = fma_peak_kernel(isa);
  for (auto _ : state) benchmark::DoNotOptimize(kernel(kRounds));
  const auto flops = static_cast<double>(kRounds * fma_peak_flops_per_round(isa));
  state.counters["flops"] =
      benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

void register_all() {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    if (isa > detected_isa()) continue;
    const std::string name(to_string(isa));
    benchmark::RegisterBenchmark(("adam/" + name).c_str(), adam, isa)
        ->RangeMultiplier(32)
        ->Range(1 << 10, 1 << 25);
    benchmark::RegisterBenchmark(("sgd/" + name).c_str(), sgd, isa)
        ->RangeMultiplier(32)
        ->Range(1 << 10, 1 << 25);
    benchmark::RegisterBenchmark(("cross_entropy/" + name).c_str(), cross_entropy, isa)
        ->RangeMultiplier(10)
        ->Range(10, 1000);
    benchmark::RegisterBenchmark(("fma_peak/" + name).c_str(), fma_peak, isa);
  }
}

}  // namespace
}  // namespace quadgate::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  quadgate::kernels::register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
