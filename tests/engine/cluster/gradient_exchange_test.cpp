// Sweeps G in 1 to 64 and all R <= G: ranks in one thread, whose jobs run in turns, add up numbers
// that cancel (1e3 beside 1) to the bits of a recursive scalar sum. Then ranks in threads, whole
// steps.

#include "engine/cluster/gradient_exchange.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/random.h"
#include "engine/cluster/reduce_scatter.h"
#include "tests/support/in_process_transport.h"

namespace quadgate::cluster {
namespace {

using Arrays = std::vector<std::vector<float>>;

/// A gradient [n] a shard, of numbers near 1 and near 1000, positive and negative.
Arrays shard_gradients(std::int64_t shards, std::size_t n) {
  Arrays gradients(static_cast<std::size_t>(shards), std::vector<float>(n));
  std::uint32_t index = 0;
  for (std::vector<float>& gradient : gradients) {
    for (float& value : gradient) {
      const auto words = philox(1, {index++, 0, 0, 0});
      const float size = words[0] % 2 == 0 ? 1e3F : 1.0F;
      value = (to_unit_float(words[1]) - 0.5F) * size;
    }
  }
  return gradients;
}

/// The sum of element `i` over shards [begin, end), empty ones left out.
std::optional<float> reference(const Arrays& gradients, std::size_t i, std::size_t begin,
                               std::size_t end) {
  if (end - begin == 1) {
    if (gradients[begin].empty()) return std::nullopt;
    return gradients[begin][i];
  }
  const std::size_t middle = begin + std::bit_floor(end - begin - 1);
  const std::optional<float> left = reference(gradients, i, begin, middle);
  const std::optional<float> right = reference(gradients, i, middle, end);
  if (!left || !right) return left ? left : right;
  const volatile float sum = *left + *right;
  return sum;
}

std::vector<float> reference(const Arrays& gradients, std::size_t n) {
  std::vector<float> sum(n);
  for (std::size_t i = 0; i < n; ++i) sum[i] = *reference(gradients, i, 0, gradients.size());
  return sum;
}

void expect_same_bits(std::span<const float> found, std::span<const float> expected) {
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size_bytes()), 0);
}

/// Runs body(communicator) on each rank of a run, in a thread of its own.
void on_ranks(int world_size, const std::function<void(Communicator&)>& body) {
  testing::InProcessNetwork network(world_size);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < world_size; ++rank) {
    threads.emplace_back([&, rank] {
      Communicator communicator([&] { return network.transport(rank); });
      body(communicator);
    });
  }
}

class GradientExchangeTest : public ::testing::TestWithParam<int> {};

TEST_P(GradientExchangeTest, StepsHaveTheBitsOfTheTree) {
  const std::size_t n = 100'003;
  for (const std::int64_t shards : {GetParam(), 8, 12, 13}) {
    if (shards < GetParam()) continue;
    Arrays gradients = shard_gradients(shards, n);
    gradients[0].clear();
    gradients[gradients.size() - 1].assign(n, 0.5F);
    const std::vector<float> some = reference(gradients, n);
    std::vector<double> squares(static_cast<std::size_t>(GetParam()));
    on_ranks(GetParam(), [&](Communicator& communicator) {
      GradientExchange exchange(communicator, n, shards);
      for (int step = 0; step < 3; ++step) {
        for (std::int64_t s = exchange.first_shard(); s < exchange.last_shard(); ++s) {
          const auto& gradient = gradients[static_cast<std::size_t>(s)];
          gradient.empty() ? exchange.add_absent() : exchange.add(gradient);
        }
        const std::span<const float> sum = exchange.reduce_scatter();
        squares[static_cast<std::size_t>(communicator.rank())] = exchange.sum_of_squares();
        std::vector<float> weights(n, -1.0F);
        for (const FlatRange& range : exchange.owned()) {
          std::ranges::copy(sum.subspan(range.begin, range.size),
                            weights.begin() + static_cast<std::ptrdiff_t>(range.begin));
        }
        exchange.all_gather(weights);
        expect_same_bits(weights, some);
      }
    });
    double square = 0;
    for (const float value : some) square += static_cast<double>(value) * value;
    for (const double found : squares) {
      EXPECT_EQ(found, squares[0]);
      EXPECT_NEAR(found, square, 1e-6 * square);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, GradientExchangeTest,
                         ::testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 12));

}  // namespace
}  // namespace quadgate::cluster
