// Sweeps cells, directions, projections and hidden sizes 1 to 65. Tolerance: 1e-6 of products of
// columns of length 1, rounded to floats; half a unit in the last place of a float below 1 beside
// the same draw vector by vector in double.

#include "engine/model/initialization.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/threads/arena.h"

namespace quadgate {
namespace {

TEST(InitializationTest, GatesOfWeightHhAreOrthogonal) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    for (const std::int64_t hidden_size : {1, 3, 16, 65}) {
      const std::int64_t proj_size = cell == Cell::lstm ? hidden_size / 2 : 0;
      const RecurrentConfig config{.input_size = 2,
                                   .hidden_size = hidden_size,
                                   .num_layers = 2,
                                   .bidirectional = true,
                                   .cell = cell,
                                   .proj_size = proj_size};
      Parameters parameters(config);
      parameters.initialize(1);
      const std::vector<float> before(parameters.values().begin(), parameters.values().end());
      make_orthogonal(config, parameters, 1);
      const auto rows = static_cast<std::size_t>(hidden_size);
      const auto columns = static_cast<std::size_t>(config.h_size());
      for (const auto& slice : parameters.slices()) {
        const auto weights = parameters.value(slice);
        if (!slice.name.starts_with("weight_hh")) {
          EXPECT_TRUE(
              std::ranges::equal(weights, std::span(before).subspan(slice.offset, slice.size)));
          continue;
        }
        for (std::size_t gate = 0; gate < slice.size / (rows * columns); ++gate) {
          for (std::size_t a = 0; a < columns; ++a) {
            for (std::size_t b = 0; b <= a; ++b) {
              double dot = 0;
              for (std::size_t row = gate * rows; row < (gate + 1) * rows; ++row) {
                dot += double{weights[row * columns + a]} * weights[row * columns + b];
              }
              ASSERT_NEAR(dot, a == b ? 1 : 0, 1e-6) << slice.name << ": " << a << ", " << b;
            }
          }
        }
      }
    }
  }
}

/// Gram and Schmidt, twice, of one draw alone.
std::vector<std::vector<double>> orthonormal(std::size_t count, std::size_t size,
                                             std::uint64_t seed, std::uint32_t draw) {
  std::vector<std::vector<double>> vectors(count, std::vector<double>(size));
  const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  for (std::size_t i = 0; i < count; ++i) {
    auto& vector = vectors[i];
    for (std::size_t k = 0; k < size; ++k) {
      vector[k] = to_normal_floats(
          philox(seed, {static_cast<std::uint32_t>(RandomUse::orthogonal), draw,
                        static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k / 4)}))[k % 4];
    }
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t before = 0; before < i; ++before) {
        const double along = product(vector, vectors[before]);
        for (std::size_t k = 0; k < size; ++k) vector[k] -= along * vectors[before][k];
      }
    }
    const double length = std::sqrt(product(vector, vector));
    for (double& value : vector) value /= length;
  }
  return vectors;
}

// Panels of vectors give what vectors one by one give, at every thread count to the same bits.
TEST(InitializationTest, EachGateIsADrawOfItsOwnAtEveryThreadCount) {
  constexpr std::size_t kSize = 70;
  const RecurrentConfig config{
      .input_size = 2, .hidden_size = kSize, .num_layers = 2, .cell = Cell::gru};
  Parameters parameters(config);
  make_orthogonal(config, parameters, 5);
  std::uint32_t draw = 0;
  for (const char* name : {"weight_hh_l0", "weight_hh_l1"}) {
    const auto weights = parameters.value(parameters.slice(name));
    for (std::size_t gate = 0; gate < 3; ++gate) {
      const auto expected = orthonormal(kSize, kSize, 5, draw++);
      for (std::size_t i = 0; i < kSize * kSize; ++i) {
        ASSERT_NEAR(weights[gate * kSize * kSize + i], expected[i % kSize][i / kSize], 3.1e-8)
            << name << ", gate " << gate << ", " << i;
      }
    }
  }
  for (const int threads : {1, 3}) {
    Arena arena(threads);
    Parameters shared(config);
    make_orthogonal(config, shared, 5, &arena);
    EXPECT_TRUE(std::ranges::equal(shared.values(), parameters.values())) << threads;
  }
}

TEST(InitializationTest, SeedsAndGatesDiffer) {
  const RecurrentConfig config{.input_size = 2, .hidden_size = 8, .num_layers = 1};
  Parameters one(config);
  Parameters other(config);
  make_orthogonal(config, one, 1);
  make_orthogonal(config, other, 1);
  EXPECT_TRUE(std::ranges::equal(one.values(), other.values()));
  make_orthogonal(config, other, 2);
  EXPECT_FALSE(std::ranges::equal(one.values(), other.values()));
  const auto weights = one.value(one.slice("weight_hh_l0"));
  EXPECT_FALSE(std::ranges::equal(weights.first(64), weights.subspan(64, 64)));
}

TEST(InitializationTest, ForgetGatesHaveTheBiasOnce) {
  const RecurrentConfig config{.input_size = 2, .hidden_size = 3, .bidirectional = true};
  Parameters parameters(config);
  parameters.initialize(1);
  set_forget_bias(config, parameters, 1.5F);
  for (const char* suffix : {"_l0", "_l0_reverse"}) {
    const auto ih = parameters.value(parameters.slice(std::string("bias_ih") + suffix));
    const auto hh = parameters.value(parameters.slice(std::string("bias_hh") + suffix));
    for (std::size_t i = 0; i < 12; ++i) {
      const bool forget = i >= 3 && i < 6;
      EXPECT_EQ(ih[i] == 1.5F, forget) << i;
      EXPECT_EQ(hh[i] == 0, forget) << i;
    }
  }
  RecurrentConfig gru = config;
  gru.cell = Cell::gru;
  Parameters without(gru);
  EXPECT_THROW(set_forget_bias(gru, without, 1), InvalidArgument);
}

}  // namespace
}  // namespace quadgate
