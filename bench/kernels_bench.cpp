// How fast each kernel runs on each ISA that this machine has, on one core: the optimizers by the
// bytes they move, from arrays that fit the first cache to ones that fit none; the sum of squares
// by the bytes it reads; the product, the LSTM steps and the FMA peak by their floating-point
// operations; the activations and dropout by their elements and cross-entropy by its rows.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/activation/activation.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/fma_peak/fma_peak.h"
#include "kernels/loss/crf/crf.h"
#include "kernels/loss/cross_entropy/cross_entropy.h"
#include "kernels/matrix/matrix_kernels.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"
#include "kernels/optimizers/adam/adam.h"
#include "kernels/optimizers/sgd/sgd.h"
#include "kernels/random/dropout/dropout.h"

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

/// 16 rows of range(0) floats.
void squares(benchmark::State& state, Isa isa) {
  constexpr std::int64_t kRows = 16;
  const std::int64_t columns = state.range(0);
  const std::vector<float> values(static_cast<std::size_t>(kRows * columns), 0.1F);
  const SumOfSquaresKernel kernel = sum_of_squares_kernel(isa);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel(kRows, columns, values.data(), columns));
  }
  state.SetBytesProcessed(state.iterations() * kRows * columns * 4);
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
            .row_stride = state.range(0),
            .run = state.range(0),
            .run_stride = 0,
            .logits = logits.data(),
            .labels = labels.data(),
            .ignore_index = -100,
            .label_weights = nullptr,
            .smoothing = nullptr,
            .smoothing_sum = 0,
            .gradient_scale = 0.01F,
            .gradient = gradient.data(),
            .losses = losses.data(),
            .predictions = predictions.data()});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

/// What a crf of range(0) tags does at a step: forward, backward, and its transitions' gradient.
void crf(benchmark::State& state, Isa isa, bool has_powers) {
  const auto tags = static_cast<std::size_t>(state.range(0));
  const std::vector<float> scores(tags * tags, 0.1F);
  const std::vector<float> from(tags, -1.0F);
  std::vector<float> to(tags, -2.0F);
  std::vector<float> power(tags);
  std::vector<float> sums(tags * tags);
  const CrfKernels kernels = crf_kernels(isa);
  const auto sum = has_powers ? kernels.sum_powers : kernels.sum;
  const auto count = has_powers ? kernels.count_powers : kernels.count;
  for (auto _ : state) {
    for (const float* const emissions : {from.data(), static_cast<const float*>(nullptr)}) {
      if (has_powers) kernels.exp(state.range(0), from.data(), from.data(), 1, power.data());
      sum({state.range(0), scores.data(), has_powers ? power.data() : from.data(), emissions,
           to.data()});
    }
    count({.tags = state.range(0),
           .first_row = 0,
           .rows = state.range(0),
           .scores = scores.data(),
           .pairs = 1,
           .from = from.data(),
           .to = from.data(),
           .sums = sums.data()});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void count_flops(benchmark::State& state, std::int64_t per_iteration) {
  state.counters["flops"] = benchmark::Counter(static_cast<double>(per_iteration),
                                               benchmark::Counter::kIsIterationInvariantRate);
}

void fma_peak(benchmark::State& state, Isa isa) {
  constexpr std::int64_t kRounds = 100'000;
  const FmaPeakKernel kernel = fma_peak_kernel(isa);
  for (auto _ : state) benchmark::DoNotOptimize(kernel(kRounds));
  count_flops(state, kRounds * fma_peak_flops_per_round(isa));
}

void activation(benchmark::State& state, ActivationKernel kernel) {
  constexpr std::int64_t kSize = 4096;
  const std::vector<float> x(kSize, 0.5F);
  std::vector<float> y(kSize);
  for (auto _ : state) {
    kernel(kSize, x.data(), y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kSize);
}

auto floats(std::int64_t rows, std::int64_t columns) {
  return std::vector<float>(static_cast<std::size_t>(rows * columns), 0.01F);
}

/// A whole panel of the right side, of range(0) rows, times 64 rows of the left: as they are, or of
/// its transpose. The rows of bf16 are of pairs.
void product(benchmark::State& state, Isa isa, Arithmetic arithmetic, bool transposed) {
  constexpr std::int64_t kRows = 64;
  const std::int64_t depth = state.range(0);
  const MatrixKernels kernels = matrix_kernels(isa, arithmetic);
  const std::int64_t columns = kPanelVectors * kernels.lanes;
  const auto left = floats(kRows, depth);
  const auto panel = floats(depth, columns);
  auto result = floats(kRows, columns);
  const Lhs a{.data = left.data(),
              .row_stride = transposed ? 1 : depth,
              .step = transposed ? kRows : 1,
              .run = depth,
              .run_stride = 0};
  const Output c{.data = result.data(),
                 .stride = columns,
                 .columns = columns,
                 .start = Output::Start::zero,
                 .bias = nullptr};
  for (auto _ : state) {
    kernels.product(kRows, depth, a, panel.data(), c);
    benchmark::ClobberMemory();
  }
  count_flops(state, (arithmetic == Arithmetic::floats ? 2 : 4) * kRows * depth * columns);
}

/// One panel of 64 rows of an LSTM with hidden size range(0), by the operations of its product.
void lstm_forward(benchmark::State& state, Isa isa) {
  constexpr std::int64_t kRows = 64;
  const std::int64_t hidden_size = state.range(0);
  const std::int64_t lanes = vector_lanes(isa, Arithmetic::floats);
  const auto h_prev = floats(kRows, hidden_size);
  const auto c_prev = floats(kRows, lanes);
  const auto weights = floats(hidden_size, 4 * lanes);
  auto gates = floats(kRows, 4 * lanes);
  auto c = c_prev;
  auto h = c_prev;
  const CellForward step{.rows = kRows,
                         .units = lanes,
                         .depth = hidden_size,
                         .left = h_prev.data(),
                         .left_stride = hidden_size,
                         .weight_hh = weights.data(),
                         .inputs = gates.data(),
                         .gates = gates.data(),
                         .h_prev = nullptr,
                         .h_prev_stride = 0,
                         .c_prev = c_prev.data(),
                         .c = c.data(),
                         .c_stride = lanes,
                         .h = h.data(),
                         .h_stride = lanes,
                         .h_pairs = nullptr,
                         .h_pairs_stride = 0};
  const CellForwardKernel kernel = lstm_forward_kernel(isa, Arithmetic::floats);
  for (auto _ : state) {
    kernel(step);
    benchmark::ClobberMemory();
  }
  count_flops(state, 2 * kRows * hidden_size * 4 * lanes);
}

/// One panel of 64 rows, by its hidden units. The gradients die away, which costs the same.
void lstm_backward(benchmark::State& state, Isa isa) {
  constexpr std::int64_t kRows = 64;
  const std::int64_t lanes = vector_lanes(isa, Arithmetic::floats);
  const auto c = floats(kRows, lanes);
  auto gates = floats(kRows, 4 * lanes);
  auto dh = c;
  auto dc = c;
  const CellBackward step{.rows = kRows,
                          .units = lanes,
                          .gates = gates.data(),
                          .h_prev = c.data(),
                          .h_prev_stride = lanes,
                          .c_prev = c.data(),
                          .c = c.data(),
                          .c_stride = lanes,
                          .dh = dh.data(),
                          .dc = dc.data(),
                          .d_stride = lanes,
                          .dy = c.data(),
                          .dy_stride = lanes};
  const CellBackwardKernel kernel = lstm_backward_kernel(isa, Arithmetic::floats);
  for (auto _ : state) {
    kernel(step);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kRows * lanes);
}

void dropout(benchmark::State& state, Isa isa) {
  const std::vector<float> from(static_cast<std::size_t>(state.range(0)), 1.0F);
  std::vector<float> to(from.size());
  const DropoutMask mask{
      .key = 1, .counter = {2, 3, 4}, .first_block = 0, .threshold = 1U << 23, .scale = 2};
  const DropoutKernel kernel = dropout_kernel(isa);
  for (auto _ : state) {
    kernel(mask, state.range(0), from.data(), to.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void register_all() {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx_bf16}) {
    if (isa > detected_isa()) continue;
    const std::string name(to_string(isa));
    benchmark::RegisterBenchmark(("adam/" + name).c_str(), adam, isa)
        ->RangeMultiplier(32)
        ->Range(1 << 10, 1 << 25);
    benchmark::RegisterBenchmark(("sgd/" + name).c_str(), sgd, isa)
        ->RangeMultiplier(32)
        ->Range(1 << 10, 1 << 25);
    benchmark::RegisterBenchmark(("squares/" + name).c_str(), squares, isa)
        ->RangeMultiplier(8)
        ->Range(8, 512);
    benchmark::RegisterBenchmark(("cross_entropy/" + name).c_str(), cross_entropy, isa)
        ->RangeMultiplier(10)
        ->Range(10, 1000);
    for (const bool has_powers : {false, true}) {
      const std::string kind = has_powers ? "crf_powers/" : "crf/";
      benchmark::RegisterBenchmark((kind + name).c_str(), crf, isa, has_powers)
          ->Arg(5)
          ->Arg(17)
          ->Arg(300);
    }
    benchmark::RegisterBenchmark(("dropout/" + name).c_str(), dropout, isa)
        ->RangeMultiplier(8)
        ->Range(8, 512);
    benchmark::RegisterBenchmark(("fma_peak/" + name).c_str(), fma_peak, isa);
    benchmark::RegisterBenchmark(("sigmoid/" + name).c_str(), activation, sigmoid_kernel(isa));
    benchmark::RegisterBenchmark(("tanh/" + name).c_str(), activation, tanh_kernel(isa));
    for (const bool transposed : {false, true}) {
      const std::string kind = transposed ? "product_transposed/" : "product/";
      const auto add = [&](const char* of, Arithmetic arithmetic) {
        benchmark::RegisterBenchmark((kind + of + name).c_str(), product, isa, arithmetic,
                                     transposed)
            ->RangeMultiplier(4)
            ->Range(64, 1024);
      };
      add("", Arithmetic::floats);
      add("pairs/", Arithmetic::pairs);
      if (isa == Isa::amx_bf16) add("tiles/", Arithmetic::tiles);
    }
    benchmark::RegisterBenchmark(("lstm_forward/" + name).c_str(), lstm_forward, isa)
        ->RangeMultiplier(4)
        ->Range(64, 1024);
    benchmark::RegisterBenchmark(("lstm_backward/" + name).c_str(), lstm_backward, isa);
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
