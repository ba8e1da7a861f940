// Sweeps both backends, the three tasks, the cells, directions, layers, 1 to 21 rows (slices of 4
// to 6, the last one partly empty) and ragged lengths below the planned one. Tolerance: 2e-5 of the
// largest element against the double reference: float sums over up to 150 steps and oneDNN's
// sigmoid and tanh, good to about 1e-6; 1e-4 where a layer has one unit: the gradient of its bias
// is one sum, whose terms may cancel.

#include "engine/training/network.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/error.h"
#include "engine/training/optimizer.h"
#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using testing::network_reference;
using testing::predict;
using testing::Random;
using testing::random_batch;
using testing::relative_error;
using testing::select_rows;

constexpr double kTolerance = 2e-5;

std::span<const float> expect_reference(Network& network, const Batch& batch) {
  const double tolerance = network.config().rnn.hidden_size == 1 ? 1e-4 : kTolerance;
  return testing::expect_reference(network, batch, tolerance).values;
}

class NetworkTest : public ::testing::TestWithParam<
                        std::tuple<Task, bool, std::int64_t, std::int64_t, BackendKind>> {};

TEST_P(NetworkTest, HasTheReferencesOutputsLossAndGradients) {
  const auto [task, bidirectional, num_layers, rows, backend] = GetParam();
  const ModelConfig config{.rnn = {.input_size = 3,
                                   .hidden_size = 6,
                                   .num_layers = num_layers,
                                   .bidirectional = bidirectional},
                           .task = task,
                           .output_size = 4};
  Arena arena(2);
  Network network(config, 9, 21, arena, {.backend = backend});
  EXPECT_EQ(network.backend(), backend);
  network.parameters().initialize(3);
  Random random(7);
  for (const std::int64_t longest : {7, 9}) {
    const Batch batch = random_batch(config, random_lengths(rows, longest, random), random);
    expect_reference(network, batch);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, NetworkTest,
                         ::testing::Combine(::testing::Values(Task::classification, Task::tagging,
                                                              Task::regression),
                                            ::testing::Bool(), ::testing::Values(1, 2),
                                            ::testing::Values(1, 6, 21), testing::both_backends()));

class NetworkStatesTest : public ::testing::TestWithParam<BackendKind> {};

/// The same sequences in two halves, the second of which goes on where the first ended. oneDNN may
/// sum the halves in another order.
TEST_P(NetworkStatesTest, TwoHalvesWithCarriedStatesAreTheWhole) {
  const double tolerance = GetParam() == BackendKind::onednn ? 1e-6 : 0;
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    const ModelConfig config{
        .rnn = {.input_size = 3, .hidden_size = 20, .num_layers = 2, .cell = cell},
        .task = Task::tagging,
        .output_size = 4};
    constexpr std::int64_t kRows = 5;
    Random random(7);
    const Batch whole = random_batch(config, std::vector<std::int64_t>(kRows, 8), random);
    std::array<Batch, 2> halves;
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::size_t half = 0; half < 2; ++half) {
        const std::int64_t first = 8 * row + 4 * static_cast<std::int64_t>(half);
        auto& to = halves[half];
        to.x.insert(to.x.end(), whole.x.begin() + 3 * first, whole.x.begin() + 3 * (first + 4));
        to.labels.resize(to.labels.size() + 4);
      }
    }
    for (auto& half : halves) half.offsets = {0, 4, 8, 12, 16, 20};

    Arena arena(2);
    Network at_once(config, 8, kRows, arena, {.backend = GetParam()});
    Network carried(config, 4, kRows, arena, {.backend = GetParam(), .carries_states = true});
    for (Network* network : {&at_once, &carried}) {
      network->parameters().initialize(3);
    }
    ASSERT_EQ(at_once.carried_states(), nullptr);
    const auto expected = predict(at_once, whole);
    for (int again = 0; again < 2; ++again) {
      const std::array<std::vector<float>, 2> found{predict(carried, halves[0]),
                                                    predict(carried, halves[1])};
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::size_t row = i / 32;
        const std::size_t in_row = i % 32;
        ASSERT_NEAR(found[in_row / 16][row * 16 + in_row % 16], expected[i], tolerance) << i;
      }
      std::ranges::fill(carried.carried_states()->h, 0.0F);
      std::ranges::fill(carried.carried_states()->c, 0.0F);
    }
    EXPECT_THAT([&] { predict(carried, select_rows(config, halves[0], {0})); },
                ::testing::ThrowsMessage<InvalidArgument>(::testing::HasSubstr("expected 5 rows")));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, NetworkStatesTest, testing::both_backends(),
                         testing::backend_name);

/// The native backend alone, with every instruction set, alone and in a team of two.
class NetworkCellTest
    : public ::testing::TestWithParam<std::tuple<Cell, std::int64_t, bool, std::int64_t>> {
 protected:
  void TearDown() override {
    kernels::cap_isa(kernels::Isa::amx_bf16);
    kernels::prefer_tiles(false);
  }
};

TEST_P(NetworkCellTest, HasTheReferencesOutputsLossAndGradients) {
  const auto [cell, hidden_size, bidirectional, num_layers] = GetParam();
  const ModelConfig config{.rnn = {.input_size = 5,
                                   .hidden_size = hidden_size,
                                   .num_layers = num_layers,
                                   .bidirectional = bidirectional,
                                   .cell = cell},
                           .task = Task::tagging,
                           .output_size = 4};
  for (const auto isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512}) {
    if (isa > kernels::detected_isa()) continue;
    SCOPED_TRACE(kernels::to_string(isa));
    kernels::cap_isa(isa);
    Arena arena(2);
    std::vector<float> alone;
    for (const std::int64_t team_size : {1, 2}) {
      Network network(config, 7, 9, arena,
                      {.backend = BackendKind::native, .team_size = team_size});
      network.parameters().initialize(3);
      Random random(7);
      std::span<const float> gradients;
      for (const std::int64_t rows : {1, 4, 9}) {
        gradients = expect_reference(network,
                                     random_batch(config, random_lengths(rows, 7, random), random));
      }
      if (team_size == 1) alone.assign(gradients.begin(), gradients.end());
      EXPECT_TRUE(std::ranges::equal(gradients, alone)) << "team of " << team_size;
    }
  }
}

/// bf16 keeps 8 bits of what it multiplies: 2^-9 a rounding, some 10 of them in a row, and a relu
/// that turns over for it. Once more with AMX, emulated.
TEST_P(NetworkCellTest, HasRoughlyTheReferencesGradientsInBf16) {
  constexpr double kRoughly = 0.08;
  const auto [cell, hidden_size, bidirectional, num_layers] = GetParam();
  const ModelConfig config{.rnn = {.input_size = 5,
                                   .hidden_size = hidden_size,
                                   .num_layers = num_layers,
                                   .bidirectional = bidirectional,
                                   .cell = cell},
                           .task = Task::tagging,
                           .output_size = 4};
  const auto expect_roughly = [&](kernels::Isa isa) {
    SCOPED_TRACE(kernels::to_string(isa));
    kernels::cap_isa(isa);
    Arena arena(2);
    Network network(config, 7, 9, arena, {.precision = Precision::bf16});
    network.parameters().initialize(3);
    Random random(7);
    const Batch batch = random_batch(config, random_lengths(9, 7, random), random);
    const auto expected = network_reference(config, network.parameters(), batch);
    const Gradient gradient = network.differentiate(batch, {}).gradient;
    EXPECT_LE(relative_error(gradient.values, expected.gradients), kRoughly);
  };
  for (const auto isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512,
                         kernels::Isa::avx512_bf16, kernels::Isa::amx_bf16}) {
    if (isa <= kernels::detected_isa()) expect_roughly(isa);
  }
  kernels::prefer_tiles(true);
  expect_roughly(kernels::detected_isa());
}

INSTANTIATE_TEST_SUITE_P(Cells, NetworkCellTest,
                         ::testing::Combine(::testing::Values(Cell::lstm, Cell::gru, Cell::rnn_tanh,
                                                              Cell::rnn_relu),
                                            ::testing::Values(1, 7, 16, 33, 70), ::testing::Bool(),
                                            ::testing::Values(1, 2)));

class NetworkIsaTest : public ::testing::TestWithParam<std::tuple<Cell, Precision, BackendKind>> {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::Isa::amx_bf16); }

  static ModelConfig config(Cell cell, BackendKind backend) {
    const bool native = backend == BackendKind::native;
    return {.rnn = {.input_size = 5,
                    .hidden_size = 37,
                    .num_layers = 2,
                    .bidirectional = true,
                    .dropout = 0.2,
                    .cell = cell,
                    .proj_size = native && cell == Cell::lstm ? 19 : 0,
                    .locked_dropout = true,
                    .weight_dropout = 0.3},
            .task = Task::tagging,
            .output_size = 4};
  }

  /// The parameters after a step of training with a network that was planned for `planned`, while
  /// `active` was the most that new plans could have.
  static std::vector<float> trained(kernels::Isa planned, kernels::Isa active) {
    const auto [cell, precision, backend] = GetParam();
    const ModelConfig model = config(cell, backend);
    kernels::cap_isa(planned);
    Arena arena(2);
    Network network(model, 7, 9, arena, {.backend = backend, .precision = precision});
    Optimizer optimizer({.kind = OptimizerConfig::Kind::adam},
                        network.parameters().values().size());
    network.parameters().initialize(3);
    kernels::cap_isa(active);
    Random random(7);
    const Batch batch = random_batch(model, random_lengths(9, 7, random), random);
    const Gradient gradient = network.differentiate(batch, {.seed = 1, .step = 2}).gradient;
    optimizer.step(arena, network.parameters(), gradient);
    auto values = predict(network, batch);
    const auto parameters = network.parameters().values();
    values.insert(values.end(), parameters.begin(), parameters.end());
    return values;
  }
};

TEST_P(NetworkIsaTest, KeepsTheKernelsThatItWasPlannedWith) {
  constexpr std::array kIsas{kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512,
                             kernels::Isa::avx512_bf16, kernels::Isa::amx_bf16};
  for (const auto planned : kIsas) {
    if (planned > kernels::detected_isa()) continue;
    const auto expected = trained(planned, planned);
    for (const auto active : kIsas) {
      EXPECT_EQ(trained(planned, active), expected)
          << kernels::to_string(planned) << ", then " << kernels::to_string(active);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Plans, NetworkIsaTest,
    ::testing::Values(std::tuple{Cell::lstm, Precision::f32, BackendKind::native},
                      std::tuple{Cell::lstm, Precision::bf16, BackendKind::native},
                      std::tuple{Cell::gru, Precision::f32, BackendKind::native},
                      std::tuple{Cell::rnn_tanh, Precision::bf16, BackendKind::native},
                      std::tuple{Cell::lstm, Precision::f32, BackendKind::onednn},
                      std::tuple{Cell::gru, Precision::f32, BackendKind::onednn}));

class NetworkProjectionTest
    : public ::testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, bool>> {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::Isa::amx_bf16); }
};

TEST_P(NetworkProjectionTest, HasTheReferencesOutputsLossAndGradients) {
  const auto [hidden_size, proj_size, bidirectional] = GetParam();
  for (const Task task : {Task::tagging, Task::classification}) {
    const ModelConfig config{.rnn = {.input_size = 5,
                                     .hidden_size = hidden_size,
                                     .num_layers = 2,
                                     .bidirectional = bidirectional,
                                     .proj_size = proj_size},
                             .task = task,
                             .output_size = 4};
    for (const auto isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512}) {
      if (isa > kernels::detected_isa()) continue;
      SCOPED_TRACE(kernels::to_string(isa));
      kernels::cap_isa(isa);
      Arena arena(2);
      std::vector<float> alone;
      for (const std::int64_t team_size : {1, 2}) {
        Network network(config, 7, 9, arena, {.team_size = team_size});
        network.parameters().initialize(3);
        Random random(7);
        const Batch batch = random_batch(config, random_lengths(9, 7, random), random);
        const auto gradients = expect_reference(network, batch);
        if (team_size == 1) alone.assign(gradients.begin(), gradients.end());
        EXPECT_TRUE(std::ranges::equal(gradients, alone)) << "team of " << team_size;

        Network rounded(config, 7, 9, arena,
                        {.precision = Precision::bf16, .team_size = team_size});
        rounded.parameters().initialize(3);
        const Gradient gradient = rounded.differentiate(batch, {}).gradient;
        EXPECT_LE(relative_error(gradient.values, alone), 0.03);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NetworkProjectionTest,
                         ::testing::Combine(::testing::Values(5, 33, 140), ::testing::Values(1, 3),
                                            ::testing::Bool()));
INSTANTIATE_TEST_SUITE_P(LargeSizes, NetworkProjectionTest,
                         ::testing::Combine(::testing::Values(140), ::testing::Values(16, 65, 139),
                                            ::testing::Bool()));

}  // namespace
}  // namespace quadgate
