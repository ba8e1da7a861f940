// What a network makes of one batch after the other, on both backends: rows that do not depend on
// their company, nothing of a batch that stays, weights that change between passes, and everything
// that a batch or a plan can have wrong. Tolerance: none, 1e-6 with oneDNN, which may sum in
// another order.

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "engine/base/error.h"
#include "engine/training/network.h"
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
  EXPECT_LE(relative_error(predict(network_, batch_), expected.outputs), 2e-5);
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
