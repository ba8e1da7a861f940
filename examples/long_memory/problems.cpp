#include "problems.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/base/random.h"

namespace long_memory {
namespace {

// The first word of the generator's counters, beyond those of quadgate::RandomUse: the numbers of
// the data are not those of the weights.
constexpr std::uint32_t kDataUse = 1U << 16U;

/// Random words one after another, for one batch.
class Words {
 public:
  Words(std::uint64_t seed, std::uint32_t number) : seed_(seed), number_(number) {}

  std::uint32_t next() noexcept {
    if (used_ == words_.size()) {
      words_ = quadgate::philox(seed_, {kDataUse, number_, block_++, 0});
      used_ = 0;
    }
    return words_[used_++];
  }
  /// 0 .. count - 1; the bias of the remainder is below count / 2^32.
  std::int64_t below(std::int64_t count) noexcept {
    return static_cast<std::int64_t>(next()) % count;
  }

 private:
  std::uint64_t seed_;
  std::uint32_t number_;
  std::uint32_t block_ = 0;
  std::array<std::uint32_t, 4> words_{};
  std::size_t used_ = words_.size();
};

/// x: [lag, 2], zeros. Returns the target.
float fill_adding(std::int64_t lag, Words& words, float* x) {
  for (std::int64_t t = 0; t < lag; ++t) x[2 * t] = quadgate::to_unit_float(words.next());
  const std::int64_t half = lag / 2;
  const std::int64_t first = words.below(half);
  const std::int64_t second = half + words.below(lag - half);
  x[2 * first + 1] = 1;
  x[2 * second + 1] = 1;
  return x[2 * first] + x[2 * second];
}

/// x: [steps, kSignal + 1], zeros; labels: [steps], kIgnoreIndex.
void fill_copy(std::int64_t lag, Words& words, float* x, std::int64_t* labels) {
  constexpr std::int64_t kFeatures = kSignal + 1;
  const std::int64_t steps = seq_len(Problem::copy, lag);
  for (std::int64_t t = 0; t < steps; ++t) {
    std::int64_t symbol = t == kRecalled + lag - 1 ? kSignal : kBlank;
    if (t < kRecalled) {
      symbol = words.below(kSymbols);
      labels[t + kRecalled + lag] = symbol;
    }
    x[t * kFeatures + symbol] = 1;
  }
}

}  // namespace

const char* to_string(Problem problem) noexcept {
  return problem == Problem::adding ? "adding" : "copy";
}

std::int64_t seq_len(Problem problem, std::int64_t lag) noexcept {
  return problem == Problem::adding ? lag : lag + 2 * kRecalled;
}

quadgate::ModelConfig model_for(Problem problem, quadgate::Cell cell, std::int64_t hidden_size) {
  const bool adding = problem == Problem::adding;
  quadgate::ModelConfig config;
  config.rnn = {.input_size = adding ? 2 : kSignal + 1, .hidden_size = hidden_size};
  config.rnn.cell = cell;
  config.task = adding ? quadgate::Task::regression : quadgate::Task::tagging;
  config.output_size = adding ? 1 : kSymbols;
  return config;
}

void BatchStream::fill(std::uint32_t number, quadgate::Batch& batch) const {
  const bool adding = problem == Problem::adding;
  const std::int64_t steps = seq_len(problem, lag);
  const std::int64_t features = model_for(problem, quadgate::Cell::lstm, 1).rnn.input_size;
  const auto all_steps = static_cast<std::size_t>(batch_size * steps);
  batch.x.assign(all_steps * static_cast<std::size_t>(features), 0);
  batch.labels.assign(adding ? 0 : all_steps, quadgate::kIgnoreIndex);
  batch.targets.clear();
  batch.offsets.assign(1, 0);
  Words words(seed, number);
  for (std::int64_t row = 0; row < batch_size; ++row) {
    float* const x = batch.x.data() + row * steps * features;
    if (adding) {
      batch.targets.push_back(fill_adding(lag, words, x));
    } else {
      fill_copy(lag, words, x, batch.labels.data() + row * steps);
    }
    batch.offsets.push_back(batch.offsets.back() + steps);
  }
}

}  // namespace long_memory
