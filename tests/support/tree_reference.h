#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/random.h"

namespace quadgate::testing {

/// The gradient of each shard, [n]; that of a shard without rows is empty.
using ShardGradients = std::vector<std::vector<float>>;

/// Numbers that cancel: about 1, 1000 and 1e6, of both signs.
inline ShardGradients shard_gradients(std::int64_t shards, std::size_t n, std::uint64_t seed = 1) {
  ShardGradients gradients(static_cast<std::size_t>(shards), std::vector<float>(n));
  std::uint32_t index = 0;
  for (std::vector<float>& gradient : gradients) {
    for (float& value : gradient) {
      constexpr std::array kSizes{1.0F, 1e3F, 1e6F};
      const auto words = philox(seed, {index++, 0, 0, 0});
      value = (to_unit_float(words[1]) - 0.5F) * kSizes[words[0] % kSizes.size()];
    }
  }
  return gradients;
}

/// The sum of element `i` over shards [begin, end): a node splits at begin + the largest power of
/// two below end - begin, and what is absent is left out.
inline std::optional<float> tree_sum(const ShardGradients& gradients, std::size_t i,
                                     std::size_t begin, std::size_t end) {
  if (end - begin == 1) {
    if (gradients[begin].empty()) return std::nullopt;
    return gradients[begin][i];
  }
  const std::size_t middle = begin + std::bit_floor(end - begin - 1);
  const std::optional<float> left = tree_sum(gradients, i, begin, middle);
  const std::optional<float> right = tree_sum(gradients, i, middle, end);
  if (!left || !right) return left ? left : right;
  return *left + *right;
}

inline std::vector<float> tree_sum(const ShardGradients& gradients, std::size_t n) {
  std::vector<float> sum(n);
  for (std::size_t i = 0; i < n; ++i) sum[i] = *tree_sum(gradients, i, 0, gradients.size());
  return sum;
}

inline bool same_bits(std::span<const float> found, std::span<const float> expected) {
  const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  return std::ranges::equal(found, expected, {}, bits, bits);
}

}  // namespace quadgate::testing
