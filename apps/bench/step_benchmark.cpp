#include "apps/bench/step_benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/model/batch_rows.h"
#include "kernels/base/isa.h"
#include "kernels/fma_peak/fma_peak.h"

namespace quadgate::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kSeed = 1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t classes_of(const StepShape& shape) {
  constexpr std::int64_t kClasses = 10;
  return shape.vocabulary > 0 ? shape.vocabulary : kClasses;
}

std::pair<std::int64_t, std::int64_t> parse_lengths(const StepShape& shape) {
  const std::string& text = shape.lengths;
  if (text.empty()) {
    return {shape.seq_len, shape.seq_len};
  }
  std::int64_t low = 0;
  std::int64_t high = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, low);
  const char* const second = first.ptr == end ? end : first.ptr + 1;
  const bool parsed = first.ptr != end && *first.ptr == ':' &&
                      std::from_chars(second, end, high).ptr == end && second != end;
  if (!parsed || low < 1 || low > high || high > shape.seq_len) {
    throw InvalidArgument(
        fmt::format("--lengths: expected LO:HI with 1 <= LO <= HI <= {}, found "
                    "'{}'",
                    shape.seq_len, text));
  }
  return {low, high};
}

/// The `index`-th random word of the benchmark's data.
std::uint32_t random_word(std::uint64_t index) {
  const auto block = index / 4;
  return philox(kSeed, {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U),
                        0, 0})[index % 4];
}

/// Floating-point operations of the products of one forward pass over `steps` steps.
double forward_flops(const ModelConfig& config, std::int64_t steps) {
  const RecurrentConfig& rnn = config.rnn;
  std::int64_t products = config.output_size * rnn.output_size();
  for (std::int64_t layer = 0; layer < rnn.num_layers; ++layer) {
    const std::int64_t inputs = rnn.layer_input_size(layer) + rnn.h_size();
    products +=
        rnn.num_directions() * rnn.hidden_size * (num_gates(rnn.cell) * inputs + rnn.proj_size);
  }
  return 2.0 * static_cast<double>(steps) * static_cast<double>(products);
}

std::unique_ptr<ShardedNetwork> make_shards(Network& network, cluster::Communicator* communicator,
                                            std::int64_t batch_size, std::int64_t grad_shards) {
  if (communicator == nullptr) return nullptr;
  return std::make_unique<ShardedNetwork>(network, *communicator, batch_size, grad_shards);
}

std::int64_t expect_rows(const StepShape& shape, std::int64_t grad_shards) {
  if (shape.batch < grad_shards) {
    throw InvalidArgument(
        fmt::format("--batch: expected at least {} rows, one for each part that the ranks compute, "
                    "found {}",
                    grad_shards, shape.batch));
  }
  return grad_shards;
}

/// This rank's rows; none if there are no ranks.
Batch share_of(const Batch& batch, const ShardedNetwork* shards) {
  if (shards == nullptr) return {};
  const auto cut = [&](std::int64_t shard) { return batch.rows() * shard / shards->grad_shards(); };
  Batch share;
  clear(share);
  append_rows(batch, cut(shards->first_shard()), cut(shards->last_shard()), share);
  share.whole_rows = batch.rows();
  return share;
}

OptimizerConfig clipped_adam() {
  OptimizerConfig config;
  config.clip_norm = 1.0;
  return config;
}

}  // namespace

ModelConfig model_of(const StepShape& shape) {
  ModelConfig config;
  config.rnn = {shape.input_size, shape.hidden_size, shape.num_layers, shape.bidirectional, 0};
  config.rnn.cell = shape.cell;
  config.rnn.proj_size = shape.proj_size;
  config.task = Task::tagging;
  config.output_size = classes_of(shape);
  config.embedding.vocabulary_size = shape.vocabulary;
  return config;
}

Batch random_batch(const StepShape& shape) {
  const auto [low, high] = parse_lengths(shape);
  Batch batch;
  std::uint64_t index = 0;
  batch.offsets.push_back(0);
  for (std::int64_t row = 0; row < shape.batch; ++row) {
    const auto spread = static_cast<std::uint32_t>(high - low + 1);
    batch.offsets.push_back(batch.steps() + low + random_word(index++) % spread);
  }
  const auto steps = static_cast<std::size_t>(batch.steps());
  const auto tokens = static_cast<std::uint32_t>(shape.vocabulary);
  batch.tokens.resize(tokens > 0 ? steps : 0);
  for (std::int32_t& token : batch.tokens) {
    token = static_cast<std::int32_t>(random_word(index++) % tokens);
  }
  batch.x.resize(tokens > 0 ? 0 : steps * static_cast<std::size_t>(shape.input_size));
  for (float& value : batch.x) {
    value = 2 * to_unit_float(random_word(index++)) - 1;
  }
  batch.labels.resize(steps);
  for (std::int64_t& label : batch.labels) {
    label = random_word(index++) % classes_of(shape);
  }
  return batch;
}

StepBenchmark::StepBenchmark(const StepShape& shape, int threads, Pinning pinning,
                             cluster::Communicator* communicator,
                             std::optional<std::int64_t> grad_shards)
    : forward_(shape.options.forward_only),
      precision_(shape.options.precision),
      arithmetic_(shape.options.arithmetic),
      communicator_(communicator),
      grad_shards_(expect_rows(
          shape, grad_shards.value_or(
                     shards_for(communicator == nullptr ? 1 : communicator->world_size())))),
      batch_(random_batch(shape)),
      arena_(threads, pinning),
      network_(model_of(shape), shape.seq_len,
               ShardedNetwork::shard_rows(shape.batch, grad_shards_), arena_, shape.options),
      shards_(make_shards(network_, communicator, shape.batch, grad_shards_)),
      share_(share_of(batch_, shards_.get())) {
  network_.parameters().initialize(kSeed, &arena_);
  if (forward_) {
    outputs_.resize(static_cast<std::size_t>(batch_.steps() * network_.config().output_size));
  } else {
    trainer_.emplace(network_, clipped_adam(), kSeed, shards_.get());
  }
}

void StepBenchmark::step() {
  forward_ ? network_.predict(batch_, outputs_)
           : static_cast<void>(trainer_->step(shards_ ? share_ : batch_));
}

std::int64_t StepBenchmark::shards_for(int ranks) noexcept {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<unsigned>(ranks)));
}

std::size_t StepBenchmark::time_steps(double seconds, std::size_t fewest,
                                      std::vector<double>& times, std::vector<double>* waits) {
  const bool on_ranks = communicator_ != nullptr && communicator_->world_size() > 1;
  std::size_t steps = 0;
  if (on_ranks) {
    shards_->set_flags(0);
    step();
    ++steps;
  }
  const auto start = Clock::now();
  for (bool goes_on = true; goes_on;) {
    const auto step_start = Clock::now();
    const double waited = communicator_ == nullptr ? 0 : communicator_->waited_seconds();
    fewest -= fewest > 0 ? 1 : 0;
    goes_on = fewest > 0 || seconds_since(start) < seconds;
    // The first of several ranks decides for all.
    if (shards_) shards_->set_flags(goes_on && shards_->rank() == 0 ? 1 : 0);
    step();
    if (shards_) goes_on = shards_->flags() != 0;
    times.push_back(seconds_since(step_start));
    if (waits != nullptr && communicator_ != nullptr) {
      waits->push_back(communicator_->waited_seconds() - waited);
    }
    ++steps;
  }
  if (on_ranks) communicator_->end();
  return steps;
}

double StepBenchmark::measure_peak(double seconds) {
  const kernels::Isa active = kernels::active_isa();
  const kernels::Isa isa =
      arithmetic_ == Arithmetic::consistent ? std::min(active, kernels::Isa::avx512_bf16) : active;
  const bool bf16 = precision_ == Precision::bf16;
  const auto kernel = bf16 ? kernels::bf16_peak_kernel(isa) : kernels::fma_peak_kernel(isa);
  const auto rounds = static_cast<std::int64_t>(seconds * peak_rounds_per_second_) + 1;
  std::vector<float> sums(static_cast<std::size_t>(arena_.threads()));
  const auto start = Clock::now();
  arena_.for_each(arena_.threads(), [&](std::int64_t core) {
    sums[static_cast<std::size_t>(core)] = kernel(rounds);
  });
  const double rounds_per_second = static_cast<double>(rounds) / seconds_since(start);
  peak_rounds_per_second_ = std::max(peak_rounds_per_second_, rounds_per_second);
  return rounds_per_second * arena_.threads() *
         static_cast<double>(bf16 ? kernels::bf16_peak_flops_per_round(isa)
                                  : kernels::fma_peak_flops_per_round(isa));
}

double StepBenchmark::step_flops() const {
  return (forward_ ? 1 : 3) * forward_flops(network_.config(), batch_.steps());
}

}  // namespace quadgate::apps
