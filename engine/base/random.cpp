#include "engine/base/random.h"

#include <cmath>
#include <cstddef>
#include <utility>

namespace quadgate {

std::array<float, 4> to_normal_floats(const std::array<std::uint32_t, 4>& words) noexcept {
  constexpr double kTwoPi = 6.283185307179586;
  std::array<float, 4> numbers{};
  for (std::size_t i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2 * std::log((words[i] + 1.0) * 0x1.0p-32));
    const double angle = kTwoPi * words[i + 1] * 0x1.0p-32;
    numbers[i] = static_cast<float>(radius * std::cos(angle));
    numbers[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
  return numbers;
}

std::uint64_t draw(std::uint64_t seed, RandomUse use, std::uint32_t round, std::uint64_t index,
                   std::uint64_t count) noexcept {
  const auto words =
      philox(seed, {static_cast<std::uint32_t>(use), round, static_cast<std::uint32_t>(index),
                    static_cast<std::uint32_t>(index >> 32)});
  return ((std::uint64_t{words[1]} << 32) | words[0]) % count;
}

namespace {

template <typename Item>
void shuffle_items(std::span<Item> items, std::uint64_t seed, RandomUse use, std::uint32_t round) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[draw(seed, use, round, i, i)]);
  }
}

}  // namespace

void shuffle(std::span<std::int64_t> items, std::uint64_t seed, RandomUse use,
             std::uint32_t round) {
  shuffle_items(items, seed, use, round);
}

void shuffle(std::span<std::uint32_t> items, std::uint64_t seed, RandomUse use,
             std::uint32_t round) {
  shuffle_items(items, seed, use, round);
}

}  // namespace quadgate
