// Sweeps both backends, the three tasks, the cells, directions, layers, 1 to 21 rows (slices of 4
// to 6, the last one partly empty), ragged lengths below the planned one, and everything that a
// batch can have wrong. Tolerance: 2e-5 of the largest element against the double reference: float
// sums over up to 150 steps and oneDNN's sigmoid and tanh, good to about 1e-6; 1e-4 where a layer
// has one unit: the gradient of its bias is one sum, whose terms may cancel.

#include "engine/training/network.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

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
using testing::outputs_of;
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

/// A small tagger with random weights, planned for 12 rows of 5 steps, and a batch for it.
class NetworkBatchTest : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override { network_.parameters().initialize(1); }
  static ModelConfig config(Task task) {
    return {.rnn = {.input_size = 2, .hidden_size = 5, .bidirectional = true},
            .task = task,
            .output_size = 3};
  }
  /// Expects that evaluate and differentiate, and predict if `also_predict`, refuse the batch.
  template <typename Exception>
  void expect_refused(Network& network, const Batch& batch, const std::string& message,
                      bool also_predict) {
    const auto expect = [&](const std::function<void()>& call) {
      try {
        call();
        ADD_FAILURE() << "taken instead of: " << message;
      } catch (const Exception& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
      }
    };
    expect([&] { network.evaluate(batch); });
    expect([&] { network.differentiate(batch, {}); });
    std::vector<float> outputs(outputs_of(network.config(), batch));
    if (also_predict) expect([&] { network.predict(batch, outputs); });
  }

  Arena arena_{3};
  Random random_{5};
  Network network_{config(Task::tagging), 5, 12, arena_, {.backend = GetParam()}};
  Batch batch_ = random_batch(network_.config(), random_lengths(10, 5, random_), random_);
};

/// The outputs of one row among those of a whole batch.
std::vector<float> of_row(const Batch& batch, const std::vector<float>& outputs, std::int64_t row) {
  const auto first = outputs.begin() + 3 * batch.offsets[static_cast<std::size_t>(row)];
  return {first, outputs.begin() + 3 * batch.offsets[static_cast<std::size_t>(row) + 1]};
}

// oneDNN may sum in another order for other places in a slice and other pieces, so not to the bit
// there.
TEST_P(NetworkBatchTest, ARowsPredictionDoesNotDependOnTheOthers) {
  const double tolerance = GetParam() == BackendKind::onednn ? 1e-6 : 0;
  const auto expected = predict(network_, batch_);
  for (std::int64_t row = 0; row < batch_.rows(); ++row) {
    std::vector<std::int64_t> lengths = random_lengths(batch_.rows(), 5, random_);
    const auto offset = batch_.offsets.begin() + row;
    lengths[static_cast<std::size_t>(row)] = offset[1] - offset[0];
    Batch others = random_batch(network_.config(), lengths, random_);
    std::copy(batch_.x.begin() + 2 * offset[0], batch_.x.begin() + 2 * offset[1],
              others.x.begin() + 2 * others.offsets[static_cast<std::size_t>(row)]);
    EXPECT_LE(relative_error(of_row(others, predict(network_, others), row),
                             of_row(batch_, expected, row)),
              tolerance)
        << row;
  }
}

// Likewise.
TEST_P(NetworkBatchTest, ARowsPredictionIsTheSameAlone) {
  const double tolerance = GetParam() == BackendKind::onednn ? 1e-6 : 0;
  const auto expected = predict(network_, batch_);
  for (std::int64_t row = 0; row < batch_.rows(); ++row) {
    const auto alone = predict(network_, select_rows(network_.config(), batch_, {row}));
    EXPECT_LE(relative_error(alone, of_row(batch_, expected, row)), tolerance) << row;
  }
}

TEST_P(NetworkBatchTest, NothingOfABatchStaysInTheNext) {
  const auto expected = predict(network_, batch_);
  predict(network_, random_batch(network_.config(), std::vector<std::int64_t>(12, 5), random_));
  EXPECT_EQ(predict(network_, batch_), expected);
}

TEST_P(NetworkBatchTest, EveryPassTakesOverChangedWeights) {
  const auto before = predict(network_, batch_);
  network_.parameters().initialize(2);
  const auto expected = network_reference(network_.config(), network_.parameters(), batch_);
  EXPECT_LE(relative_error(predict(network_, batch_), expected.outputs), kTolerance);
  EXPECT_NE(predict(network_, batch_), before);

  const double loss = network_.evaluate(batch_).loss;
  const auto change = [&] {
    ParameterEditor editor = network_.parameters().edit();
    for (float& weight : editor.value("rnn.weight_hh_l0")) weight += 0.5F;
  };
  change();
  const double changed = network_.evaluate(batch_).loss;
  EXPECT_NE(changed, loss);
  change();
  EXPECT_NE(network_.differentiate(batch_, {}).metrics.loss, changed);
}

TEST_P(NetworkBatchTest, NoPassRunsWhileWeightsAreBeingChanged) {
  const auto refused = [&] {
    expect_refused<InvalidArgument>(network_, batch_, "expected no open editor", true);
  };
  std::optional<ParameterEditor> editor(network_.parameters().edit());
  refused();
  {
    const ParameterEditor moved(std::move(*editor));
    editor.reset();
    refused();
  }
  EXPECT_NO_THROW(network_.evaluate(batch_));
}

TEST_P(NetworkBatchTest, AnEmptyBatchHasNoItemsAndNoGradient) {
  EXPECT_EQ(network_.evaluate({}).items, 0);
  EXPECT_NO_THROW(network_.predict({}, {}));
  EXPECT_THROW(network_.differentiate({}, {}), InvalidArgument);
}

TEST_P(NetworkBatchTest, RefusesTooManyRows) {
  const auto large = random_batch(network_.config(), std::vector<std::int64_t>(13, 5), random_);
  expect_refused<InvalidArgument>(network_, large, "expected at most 12 rows, found 13", true);
}

TEST_P(NetworkBatchTest, RefusesRowsThatAreTooLongOrEmpty) {
  const auto longer = random_batch(network_.config(), {5, 6, 2}, random_);
  expect_refused<InvalidArgument>(network_, longer, "batch row 1: length: expected 1 to 5, found 6",
                                  true);
  const auto empty = random_batch(network_.config(), {5, 4, 0}, random_);
  expect_refused<InvalidArgument>(network_, empty, "batch row 2: length: expected 1 to 5, found 0",
                                  true);
}

TEST_P(NetworkBatchTest, RefusesArraysOfAnotherSize) {
  Batch wrong = batch_;
  wrong.x.pop_back();
  expect_refused<InvalidArgument>(network_, wrong, "batch x: expected", true);
  wrong = batch_;
  wrong.labels.pop_back();
  expect_refused<InvalidArgument>(network_, wrong, "batch labels: expected", false);
  std::vector<float> outputs(outputs_of(network_.config(), batch_) - 1);
  EXPECT_THROW(network_.predict(batch_, outputs), InvalidArgument);
}

TEST_P(NetworkBatchTest, RefusesTheTargetsOfAnotherTask) {
  Network regression(config(Task::regression), 5, 12, arena_, {.backend = GetParam()});
  expect_refused<InvalidArgument>(regression, batch_, "batch targets: expected", false);
  Network classification(config(Task::classification), 5, 12, arena_, {.backend = GetParam()});
  expect_refused<InvalidArgument>(classification, batch_, "batch labels: expected 10 values",
                                  false);
}

TEST_P(NetworkBatchTest, RefusesLabelsOutOfRange) {
  for (const std::int64_t label : {-1, 3, 1000}) {
    Batch wrong = batch_;
    wrong.labels.back() = label;
    expect_refused<DataError>(network_, wrong,
                              "ignore_index (-100), found " + std::to_string(label), false);
  }
}

TEST_P(NetworkBatchTest, PredictsWithoutLabels) {
  Batch unlabelled = batch_;
  unlabelled.labels.clear();
  EXPECT_EQ(predict(network_, unlabelled), predict(network_, batch_));
}

TEST_P(NetworkBatchTest, RefusesATeamWithoutTheNativeBackend) {
  EXPECT_THROW(Network(config(Task::tagging), 5, 12, arena_,
                       {.backend = BackendKind::onednn, .team_size = 1}),
               InvalidArgument);
}

TEST_P(NetworkBatchTest, RefusesABackendWithoutTheProjection) {
  ModelConfig projected = config(Task::tagging);
  projected.rnn.proj_size = 2;
  EXPECT_EQ(Network(projected, 5, 12, arena_).backend(), BackendKind::native);
  try {
    const Network network(projected, 5, 12, arena_, {.backend = BackendKind::onednn});
    ADD_FAILURE() << "oneDNN took a projection";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "backend: expected native for proj_size, found onednn");
  }
}

TEST_P(NetworkBatchTest, RefusesImpossiblePlans) {
  EXPECT_THROW(Network(config(Task::tagging), 0, 1, arena_, {.backend = GetParam()}),
               InvalidArgument);
  EXPECT_THROW(Network(config(Task::tagging), 1, 0, arena_, {.backend = GetParam()}),
               InvalidArgument);
  ModelConfig wrong = config(Task::tagging);
  wrong.rnn.hidden_size = 0;
  EXPECT_THROW(Network(wrong, 1, 1, arena_, {.backend = GetParam()}), InvalidArgument);
  for (const std::int64_t team_size : {-1, 4}) {  // of three threads
    const NetworkOptions options{.backend = GetParam(), .team_size = team_size};
    EXPECT_THROW(Network(config(Task::tagging), 1, 1, arena_, options), InvalidArgument);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, NetworkBatchTest, testing::both_backends(),
                         testing::backend_name);

}  // namespace
}  // namespace quadgate
