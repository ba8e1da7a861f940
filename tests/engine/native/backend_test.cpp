// Sweeps classes around a panel, around the fewest that VocabularyHead takes, and 10,007, with more
// rows than its blocks have; hidden sizes around the vector lengths of every ISA with 1 to 13 rows
// of 1 to 9 steps, and ragged batches through three bidirectional layers with dropout. Tolerance:
// 1e-5 of the largest element against the double reference and against oneDNN: float sums over up
// to 117 steps.

#include "engine/native/backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "engine/training/network.h"
#include "kernels/base/isa.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/batches.h"
#include "tests/support/network_reference.h"

namespace quadgate {
namespace {

using testing::network_reference;
using testing::Random;
using testing::relative_error;

constexpr double kBackendTolerance = 1e-5;

/// What a backend makes of a batch under one dropout key.
struct Passes {
  Passes(const ModelConfig& config, std::int64_t seq_len, const Batch& batch, BackendKind backend)
      : network(config, seq_len, batch.rows(), arena, {.backend = backend}),
        outputs(
            static_cast<std::size_t>((config.task == Task::tagging ? batch.steps() : batch.rows()) *
                                     config.output_size),
            NAN) {
    network.parameters().initialize(1);
    network.predict(batch, outputs);
    const Derivative derivative = network.differentiate(batch, {.seed = 3, .step = 4});
    loss = derivative.metrics.mean_loss();
    gradient = derivative.gradient;
  }

  Arena arena{2};
  Network network;
  std::vector<float> outputs;
  double loss = 0;
  Gradient gradient;
};

/// Compares the gradients of each parameter.
template <typename Gradients>
void expect_gradients(Passes& passes, const Gradients& expected) {
  for (const auto& slice : passes.network.parameters().slices()) {
    EXPECT_LE(relative_error(passes.gradient.of(slice),
                             std::span(expected).subspan(slice.offset, slice.size)),
              kBackendTolerance)
        << slice.name;
  }
}

void expect_numbers(Passes& passes, const testing::NetworkReference& expected) {
  EXPECT_LE(relative_error(passes.outputs, expected.outputs), kBackendTolerance);
  EXPECT_NEAR(passes.loss, expected.loss, kBackendTolerance * expected.loss);
  expect_gradients(passes, expected.gradients);
}

class NativeBackendTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  void expect_reference(const ModelConfig& config, std::int64_t rows, std::int64_t seq_len) {
    SCOPED_TRACE(::testing::Message()
                 << "input size " << config.rnn.input_size << ", hidden size "
                 << config.rnn.hidden_size << ", " << rows << " rows, " << seq_len << " steps");
    const Batch batch = random_batch(config, random_lengths(rows, seq_len, random_), random_);
    Passes passes(config, seq_len, batch, BackendKind::native);
    expect_numbers(passes, network_reference(config, passes.network.parameters(), batch));
  }

  Random random_{1};
};

TEST_P(NativeBackendTest, HasTheReferencesNumbersAtEveryHiddenSize) {
  std::int64_t rows = 0;
  for (const std::int64_t hidden_size : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100}) {
    const ModelConfig config{.rnn = {.input_size = 5, .hidden_size = hidden_size},
                             .task = Task::tagging,
                             .output_size = 3};
    ++rows;
    expect_reference(config, rows, 1 + rows % 9);
  }
}

TEST_P(NativeBackendTest, HasTheReferencesNumbersAtEveryInputAndOutputSize) {
  for (const std::int64_t size : {1, 15, 16, 17, 63, 64, 65, 130}) {
    const ModelConfig config{.rnn = {.input_size = size, .hidden_size = 10, .bidirectional = true},
                             .task = Task::regression,
                             .output_size = size};
    expect_reference(config, 5, 4);
  }
}

TEST_P(NativeBackendTest, HasTheReferencesNumbersAtEveryShapeOfABatch) {
  const ModelConfig config{
      .rnn = {.input_size = 4, .hidden_size = 18, .num_layers = 2, .bidirectional = true},
      .task = Task::regression,
      .output_size = 2};
  for (std::int64_t rows = 1; rows <= 13; ++rows) {
    for (const std::int64_t seq_len : {1, 2, 9}) expect_reference(config, rows, seq_len);
  }
}

TEST_P(NativeBackendTest, AgreesWithOnednnOnADeepStackWithDropout) {
  for (const Task task : {Task::classification, Task::tagging, Task::regression}) {
    const ModelConfig config{.rnn = {.input_size = 6,
                                     .hidden_size = 20,
                                     .num_layers = 3,
                                     .bidirectional = true,
                                     .dropout = 0.3},
                             .task = task,
                             .output_size = 4};
    const Batch batch = random_batch(config, random_lengths(13, 9, random_), random_);
    Passes native(config, 9, batch, BackendKind::native);
    Passes onednn(config, 9, batch, BackendKind::onednn);
    EXPECT_LE(relative_error(native.outputs, onednn.outputs), kBackendTolerance) << to_string(task);
    EXPECT_NEAR(native.loss, onednn.loss, kBackendTolerance * onednn.loss) << to_string(task);
    EXPECT_NEAR(native.gradient.norm, onednn.gradient.norm,
                kBackendTolerance * onednn.gradient.norm)
        << to_string(task);
    expect_gradients(native, onednn.gradient.values);
  }
}

/// On every ISA at once, as the reference takes time by the square of the classes.
void expect_reference_on_each_isa(const ModelConfig& config, std::int64_t rows,
                                  std::int64_t seq_len) {
  using enum kernels::Isa;
  Random random(1);
  const Batch batch = random_batch(config, random_lengths(rows, seq_len, random), random);
  std::optional<testing::NetworkReference> expected;
  for (const kernels::Isa isa : {scalar, avx2, avx512, avx512_bf16}) {
    if (isa > kernels::detected_isa()) continue;
    SCOPED_TRACE(::testing::Message() << config.output_size << " classes, " << isa);
    kernels::cap_isa(isa);
    Passes passes(config, seq_len, batch, BackendKind::native);
    if (!expected) expected = network_reference(config, passes.network.parameters(), batch);
    expect_numbers(passes, *expected);
  }
  kernels::cap_isa(kernels::detected_isa());
}

TEST(NativeBackendClassesTest, HasTheReferencesNumbersAtEveryNumberOfClasses) {
  for (const std::int64_t classes : {15, 16, 17, 255, 256, 257, 1024, 1025, 10007}) {
    const ModelConfig config{.rnn = {.input_size = 5, .hidden_size = 13, .bidirectional = true},
                             .task = Task::tagging,
                             .output_size = classes};
    classes < 2000 ? expect_reference_on_each_isa(config, 3, 7)
                   : expect_reference_on_each_isa(config, 1, 1);
  }
}

TEST(NativeBackendClassesTest, HasTheReferencesNumbersInSeveralBlocks) {
  ModelConfig config{.rnn = {.input_size = 6, .hidden_size = 12},
                     .task = Task::tagging,
                     .output_size = 1003,
                     .embedding = {.vocabulary_size = 50}};
  config.loss.label_smoothing = 0.1;
  for (std::int64_t c = 0; c < config.output_size; ++c) {
    config.loss.class_weights.push_back(0.5F + 0.01F * static_cast<float>(c % 100));
  }
  config.loss.ignore_index = 7;
  expect_reference_on_each_isa(config, 1, 241);  // one step more than a block has
}

INSTANTIATE_TEST_SUITE_P(Isa, NativeBackendTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate
