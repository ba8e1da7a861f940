// How long a Loader alone takes for a batch of a data set's train split, shuffled where it may be,
// with the file in the page cache: steps that are shorter wait for it.
// Usage: loader_bench DATA.h5 BATCH [INPUT_LEN HORIZON, of a forecast | BPTT_LEN, of a text]

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/data/dataset.h"
#include "io/data/loader.h"

namespace quadgate {
namespace {

/// The milliseconds that a batch takes in one pass.
double time_pass(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle) {
  const auto start = std::chrono::steady_clock::now();
  Loader loader(split, batch_size, shuffle);
  for (Batch batch; loader.next(batch);) {
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return 1e3 * seconds.count() / static_cast<double>(loader.num_batches());
}

void measure(std::span<const std::string> words) {
  constexpr std::uint32_t kPasses = 9;
  const auto number = [&](std::size_t i) { return std::stoll(words[i]); };
  const std::int64_t batch_size = number(1);
  std::optional<Window> window;
  std::optional<Streams> streams;
  if (words.size() == 4) window = {.input_len = number(2), .horizon = number(3)};
  if (words.size() == 3) streams = {.count = batch_size, .bptt_len = number(2)};
  Dataset data(words[0], window, streams);
  Split& split = data.split("train");
  std::vector<double> times;
  for (std::uint32_t pass = 0; pass < kPasses; ++pass) {
    times.push_back(
        time_pass(split, batch_size,
                  streams ? std::nullopt : std::optional(Shuffle{.seed = 1, .epoch = pass})));
  }
  std::ranges::sort(times);
  fmt::print("{:.4f} ms a batch (median of {} passes; {:.4f} to {:.4f})\n", times[times.size() / 2],
             kPasses, times.front(), times.back());
}

}  // namespace
}  // namespace quadgate

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 2 || words.size() > 4) throw std::invalid_argument("see the file's head");
    quadgate::measure(words);
  } catch (const std::exception& error) {
    fmt::print(stderr, "loader_bench: {}\n", error.what());
    return 1;
  }
}
