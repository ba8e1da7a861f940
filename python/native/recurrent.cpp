// quadgate::Recurrent for Python, which calls these functions through ctypes: quadgate/_engine.py
// declares them. A function that fails returns null or -1, and quadgate_error says why.

#include "engine/training/recurrent.h"

#include <xxh_x86dispatch.h>  // with the vectors that the machine has

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using quadgate::Recurrent;
using quadgate::RecurrentStates;

thread_local std::string last_error;

/// The entry of the OpenMP runtimes of gcc and of Intel, of which torch has one.
using ParallelRegion = void (*)(void (*body)(void*), void* context, unsigned threads,
                                unsigned flags);
ParallelRegion parallel_region = nullptr;

void run_in_openmp(int threads, void (*body)(void*), void* context) {
  parallel_region(body, context, static_cast<unsigned>(threads), 0);
}

/// What a Recurrent is made of, as _engine.py fills it in.
struct Plan {
  std::int64_t cell, input_size, hidden_size, num_layers, bidirectional, proj_size, bias;
  std::int64_t seq_len, batch_size, batch_first, bf16, has_d_input, forward_only, threads;
  double dropout;
};

/// A Recurrent with cores of its own, and its last forward pass.
struct Engine {
  explicit Engine(const Plan& plan)
      : arena(parallel_region != nullptr
                  ? quadgate::Arena(static_cast<int>(plan.threads), run_in_openmp)
                  : quadgate::Arena(static_cast<int>(plan.threads))),
        recurrent(
            {.input_size = plan.input_size,
             .hidden_size = plan.hidden_size,
             .num_layers = plan.num_layers,
             .bidirectional = plan.bidirectional != 0,
             .dropout = plan.dropout,
             .cell = static_cast<quadgate::Cell>(plan.cell),
             .proj_size = plan.proj_size,
             .bias = plan.bias != 0},
            {.seq_len = plan.seq_len,
             .batch_size = plan.batch_size,
             .batch_first = plan.batch_first != 0,
             .precision = plan.bf16 != 0 ? quadgate::Precision::bf16 : quadgate::Precision::f32,
             .x_stays = true,
             .has_d_input = plan.has_d_input != 0,
             .forward_only = plan.forward_only != 0},
            arena) {}

  quadgate::Arena arena;
  Recurrent recurrent;
  RecurrentStates states;
  std::vector<std::int64_t> lengths;
  std::optional<Recurrent::Forward> forward;
  std::vector<XXH128_hash_t> hashes;  // of the weights that a pass is given
  std::vector<XXH128_hash_t> packed;  // of those that the layers have packed
};

/// Calls body(), and keeps what it throws for quadgate_error.
template <typename Body>
int guarded(Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    last_error = error.what();
  }
  return -1;
}

template <typename T>
std::span<T> span(T* data, std::int64_t size) {
  return {data, static_cast<std::size_t>(size)};
}

/// Has the layers take over weights that differ from those of the last pass, of which there are
/// hashes: Python may change them unseen.
void take_over(const float* const* weights, Engine& engine) {
  quadgate::Parameters& parameters = engine.recurrent.parameters();
  const auto slices = parameters.slices();
  engine.hashes.clear();
  for (const auto& slice : slices)
    engine.hashes.push_back(XXH3_128bits(weights[slice.index], slice.size * sizeof(float)));
  if (std::ranges::equal(engine.hashes, engine.packed, XXH128_isEqual)) return;
  engine.packed.clear();  // until the pass has packed them
  parameters.lie_in({weights, slices.size()});
}

/// Puts h and c, of which either may be null, into `states`. Null if there is neither.
const RecurrentStates* load(const quadgate::RecurrentConfig& config, std::int64_t rows,
                            const float* h, const float* c, RecurrentStates& states) {
  if (h == nullptr && c == nullptr) return nullptr;
  const auto sizes = RecurrentStates::sizes(config, rows);
  const auto assign = [](const float* from, std::int64_t size, std::vector<float>& to) {
    from == nullptr ? to.assign(static_cast<std::size_t>(size), 0.0F)
                    : to.assign(from, from + size);
  };
  assign(h, sizes.h, states.h);
  assign(c, sizes.c, states.c);
  return &states;
}

/// Of a packed batch, from how many of its sequences are alive at each step.
std::span<const std::int64_t> lengths_of(std::span<const std::int64_t> batch_sizes,
                                         std::int64_t batch, std::vector<std::int64_t>& lengths) {
  lengths.assign(static_cast<std::size_t>(batch), 0);
  for (const std::int64_t alive : batch_sizes) {
    for (std::int64_t row = 0; row < std::min(alive, batch); ++row)
      ++lengths[static_cast<std::size_t>(row)];
  }
  return lengths;
}

void store(const RecurrentStates& states, float* h, float* c) {
  if (h != nullptr) std::ranges::copy(states.h, h);
  if (c != nullptr) std::ranges::copy(states.c, c);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

/// GOMP_parallel of the runtime whose threads compute, from now on: torch's, which spin when they
/// are through, would take the cores from others. Null: threads of our own.
void quadgate_use_openmp(ParallelRegion region) { parallel_region = region; }

const char* quadgate_error() { return last_error.c_str(); }

Engine* quadgate_recurrent_new(const Plan* plan) {
  Engine* engine = nullptr;
  guarded([&] { engine = new Engine(*plan); });
  return engine;
}

void quadgate_recurrent_free(Engine* engine) { delete engine; }

/// Null states are zeros; batch_sizes [seq_len] are null unless x is packed. x must stay until the
/// backward pass.
int quadgate_recurrent_forward(Engine* engine, const float* const* weights, const float* x,
                               std::int64_t steps, std::int64_t seq_len, std::int64_t batch,
                               const std::int64_t* batch_sizes, const float* h, const float* c,
                               int drops, std::uint64_t seed, float* output, float* h_n,
                               float* c_n) {
  return guarded([&] {
    Recurrent& recurrent = engine->recurrent;
    const auto& config = recurrent.config();
    take_over(weights, *engine);
    std::optional<quadgate::DropoutKey> key;
    if (drops != 0) key = quadgate::DropoutKey{seed, 0};
    engine->forward = recurrent.forward(
        {.x = span(x, steps * config.input_size),
         .seq_len = seq_len,
         .batch = batch,
         .lengths = batch_sizes == nullptr
                        ? std::span<const std::int64_t>{}
                        : lengths_of(span(batch_sizes, seq_len), batch, engine->lengths),
         .packed = batch_sizes != nullptr,
         .states = load(config, batch, h, c, engine->states)},
        key, span(output, steps * config.output_size()));
    engine->packed = engine->hashes;
    store(engine->forward->final_states(), h_n, c_n);
  });
}

/// The size of the gradient of all weights, and where that of each begins in it.
std::int64_t quadgate_recurrent_gradient(const Engine* engine, std::int64_t* offsets) {
  const quadgate::Parameters& parameters = engine->recurrent.parameters();
  for (const auto& slice : parameters.slices())
    *offsets++ = static_cast<std::int64_t>(slice.offset);
  return static_cast<std::int64_t>(parameters.size());
}

/// Null gradients that come in are zeros, those that go out are not asked for; d_x is null without
/// has_d_input.
int quadgate_recurrent_backward(Engine* engine, std::int64_t steps, std::int64_t batch,
                                const float* d_output, const float* d_h_n, const float* d_c_n,
                                float* d_x, float* d_h, float* d_c, float* gradient) {
  return guarded([&] {
    Recurrent& recurrent = engine->recurrent;
    const auto& config = recurrent.config();
    const auto backward = recurrent.backward(
        std::move(*engine->forward), span(d_output, steps * config.output_size()),
        load(config, batch, d_h_n, d_c_n, engine->states),
        d_x == nullptr ? std::span<float>{} : span(d_x, steps * config.input_size),
        gradient == nullptr ? std::span<float>{}
                            : std::span(gradient, recurrent.parameters().size()));
    store(backward.d_states(), d_h, d_c);
  });
}

}  // extern "C"
#pragma GCC visibility pop
