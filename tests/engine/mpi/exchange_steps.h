#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/cluster/communicator.h"
#include "engine/cluster/gradient_exchange.h"

namespace quadgate::testing {

/// Three steps of made-up gradients, and the bits that they leave in the weights and norms of this
/// rank. There are several pieces a message, and a shard without rows.
inline std::string exchange_steps(cluster::Communicator& communicator) {
  constexpr std::size_t kSize = 200'003;
  constexpr std::int64_t kShards = 7;
  cluster::GradientExchange exchange(communicator, kSize, kShards);
  std::vector<float> gradient(kSize);
  std::vector<float> weights(kSize);
  std::uint64_t bits = 0xCBF29CE484222325U;  // FNV-1a
  const auto add = [&bits](std::uint64_t word) { bits = (bits ^ word) * 0x100000001B3U; };
  for (std::uint32_t step = 0; step < 3; ++step) {
    for (std::int64_t shard = exchange.first_shard(); shard < exchange.last_shard(); ++shard) {
      if (shard == 6) {
        exchange.add_absent();
        continue;
      }
      const auto number = static_cast<std::uint32_t>(shard);
      for (std::size_t i = 0; i < kSize; ++i) {
        const auto words = philox(step, {static_cast<std::uint32_t>(i), number, 0, 0});
        gradient[i] = (to_unit_float(words[0]) - 0.5F) * (words[1] % 2 == 0 ? 1e3F : 1.0F);
      }
      exchange.add(gradient);
    }
    const std::span<const float> sum = exchange.reduce_scatter();
    add(std::bit_cast<std::uint64_t>(exchange.sum_of_squares(sum)));
    for (const FlatRange& range : exchange.owned()) {
      for (std::size_t i = range.begin; i < range.begin + range.size; ++i) weights[i] -= sum[i];
    }
    exchange.all_gather(weights);
  }
  for (const float weight : weights) add(std::bit_cast<std::uint32_t>(weight));
  char text[17] = "";
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

}  // namespace quadgate::testing
