#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/threads.h"
#include "engine/arena.h"
#include "engine/error.h"
#include "engine/random.h"
#include "engine/trainer.h"
#include "kernels/fma_peak/fma_peak.h"
#include "kernels/isa.h"

namespace quadgate::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kClasses = 10;
constexpr std::uint64_t kSeed = 1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::pair<std::int64_t, std::int64_t> parse_lengths(const BenchArguments& arguments) {
  const std::string& text = arguments.lengths;
  if (text.empty()) {
    return {arguments.seq_len, arguments.seq_len};
  }
  std::int64_t low = 0;
  std::int64_t high = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, low);
  const char* const second = first.ptr == end ? end : first.ptr + 1;
  const bool parsed = first.ptr != end && *first.ptr == ':' &&
                      std::from_chars(second, end, high).ptr == end && second != end;
  if (!parsed || low < 1 || low > high || high > arguments.seq_len) {
    throw InvalidArgument(
        fmt::format("--lengths: expected LO:HI with 1 <= LO <= HI <= {}, found "
                    "'{}'",
                    arguments.seq_len, text));
  }
  return {low, high};
}

/// The `index`-th random word of the benchmark's data.
std::uint32_t random_word(std::uint64_t index) {
  const auto block = index / 4;
  return philox(kSeed, {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U),
                        0, 0})[index % 4];
}

/// Random sequences, each with a random class at every step.
Batch random_batch(const BenchArguments& arguments) {
  const auto [low, high] = parse_lengths(arguments);
  Batch batch;
  std::uint64_t index = 0;
  batch.offsets.push_back(0);
  for (std::int64_t row = 0; row < arguments.batch; ++row) {
    const auto spread = static_cast<std::uint32_t>(high - low + 1);
    batch.offsets.push_back(batch.steps() + low + random_word(index++) % spread);
  }
  batch.x.resize(static_cast<std::size_t>(batch.steps() * arguments.input_size));
  for (float& value : batch.x) {
    value = 2 * to_unit_float(random_word(index++)) - 1;
  }
  batch.labels.resize(static_cast<std::size_t>(batch.steps()));
  for (std::int64_t& label : batch.labels) {
    label = random_word(index++) % kClasses;
  }
  return batch;
}

ModelConfig model_of(const BenchArguments& arguments) {
  ModelConfig config;
  config.rnn = {arguments.input_size, arguments.hidden_size, arguments.num_layers,
                arguments.bidirectional, 0};
  config.task = Task::tagging;
  config.output_size = kClasses;
  return config;
}

/// Floating-point operations of the products of one forward pass over `steps` steps.
double forward_flops(const ModelConfig& config, std::int64_t steps) {
  const LstmConfig& rnn = config.rnn;
  std::int64_t products = config.output_size * rnn.output_size();
  for (std::int64_t layer = 0; layer < rnn.num_layers; ++layer) {
    products += rnn.num_directions() * 4 * rnn.hidden_size *
                (rnn.layer_input_size(layer) + rnn.hidden_size);
  }
  return 2.0 * static_cast<double>(steps) * static_cast<double>(products);
}

/// Floating-point operations a second that the cores of `arena` reach together without memory, the
/// best of a few rounds.
double measure_peak(Arena& arena) {
  constexpr std::int64_t kRounds = 2'000'000;
  constexpr int kTries = 5;
  const kernels::Isa isa = kernels::active_isa();
  const auto kernel = kernels::fma_peak_kernel(isa);
  const double flops = static_cast<double>(arena.threads()) * static_cast<double>(kRounds) *
                       static_cast<double>(kernels::fma_peak_flops_per_round(isa));
  std::vector<float> sums(static_cast<std::size_t>(arena.threads()));
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = Clock::now();
    arena.for_each(arena.threads(), [&](std::int64_t core) {
      sums[static_cast<std::size_t>(core)] = kernel(kRounds);
    });
    best = std::max(best, flops / seconds_since(start));
  }
  return best;
}

/// Times steps for about `seconds`, at least `fewest`, and appends each one's seconds.
void time_steps(Trainer& trainer, const Batch& batch, double seconds, std::size_t fewest,
                std::vector<double>& times) {
  const auto start = Clock::now();
  while (fewest > 0 || seconds_since(start) < seconds) {
    const auto step_start = Clock::now();
    trainer.step(batch);
    times.push_back(seconds_since(step_start));
    fewest -= fewest > 0 ? 1 : 0;
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double peak_rss_mb() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

void bench(const BenchArguments& arguments) {
  const Batch batch = random_batch(arguments);
  const ModelConfig config = model_of(arguments);
  Arena arena(choose_threads(arguments.threads));
  Network network(config, arguments.seq_len, arguments.batch, arena);
  network.parameters().initialize(kSeed);
  network.refresh();
  OptimizerConfig optimizer;
  optimizer.clip_norm = 1.0;
  Trainer trainer(network, optimizer, kSeed);

  constexpr std::size_t kWarmUpSteps = 3;
  constexpr std::size_t kFewestSteps = 5;
  std::vector<double> times;
  double peak = measure_peak(arena);
  time_steps(trainer, batch, 0, kWarmUpSteps, times);
  times.clear();
  time_steps(trainer, batch, arguments.seconds / 2, kFewestSteps / 2, times);
  peak = std::max(peak, measure_peak(arena));
  time_steps(trainer, batch, arguments.seconds / 2, kFewestSteps - kFewestSteps / 2, times);
  peak = std::max(peak, measure_peak(arena));

  const double middle = median(times);
  const double fastest = *std::min_element(times.begin(), times.end());
  const double rate = 3 * forward_flops(config, batch.steps()) / fastest;
  nlohmann::ordered_json record;
  record["step_ms_median"] = middle * 1e3;
  record["step_ms_min"] = fastest * 1e3;
  record["gflops"] = rate / 1e9;
  record["peak_gflops"] = peak / 1e9;
  record["peak_fraction"] = rate / peak;
  record["tokens_per_s"] = static_cast<double>(batch.steps()) / middle;
  record["steps"] = times.size();
  record["threads"] = arena.threads();
  record["isa"] = kernels::to_string(kernels::active_isa());
  record["backend"] = "onednn";
  record["precision"] = "f32";
  record["peak_rss_mb"] = peak_rss_mb();
  if (arguments.json) {
    fmt::print("{}\n", record.dump());
    return;
  }
  for (const auto& [name, value] : record.items()) {
    fmt::print("{:<16} {}\n", name,
               value.is_number_float() ? fmt::format("{:.5g}", value.get<double>())
               : value.is_string()     ? value.get<std::string>()
                                       : value.dump());
  }
}

}  // namespace quadgate::apps
