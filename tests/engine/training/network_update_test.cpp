// Sweeps every kind of part that a model has: cells, directions, layers, a projection, biases,
// DropConnect, embeddings (sparse, dense, tied), a convolution, bf16, both backends; with and
// without clipping, on one to three cores. No tolerance: the updates of each parameter are counted,
// three steps of training give the bits of steps of an optimizer over the flat array, and passes do
// not read a weight that has not come, and say of no gradient that it is right before it is.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/training/make_backend.h"
#include "engine/training/trainer.h"
#include "tests/support/batches.h"

namespace quadgate {
namespace {

using testing::Random;
using testing::random_batch;
using testing::random_lengths;

constexpr std::int64_t kSequences = 40;
constexpr std::int64_t kLongest = 8;
constexpr std::uint64_t kUpdateSeed = 7;

struct UpdatedModel {
  const char* name;
  ModelConfig model;
  NetworkOptions options{};
};

ModelConfig classifier(const RecurrentConfig& rnn) { return {.rnn = rnn, .output_size = 5}; }

ModelConfig tagger(const EmbeddingConfig& embedding, std::int64_t output_size) {
  return {.rnn = {.input_size = 20, .hidden_size = 20},
          .task = Task::tagging,
          .output_size = output_size,
          .embedding = embedding};
}

ModelConfig convolution() {
  ModelConfig config = classifier({.input_size = 18, .hidden_size = 10});
  config.conv = ConvConfig{.input_size = 3, .channels = 18, .kernel_size = 5, .padding = 2};
  return config;
}

/// Hidden sizes that fill no panel; more tokens and rows of a table than one task takes.
std::vector<UpdatedModel> cases() {
  constexpr std::int64_t kTokens = 1000;
  const RecurrentConfig deep{
      .input_size = 6, .hidden_size = 70, .num_layers = 2, .bidirectional = true};
  RecurrentConfig no_bias = deep;
  no_bias.bias = false;
  RecurrentConfig dropped = deep;
  dropped.weight_dropout = 0.5;
  RecurrentConfig projected = deep;
  projected.proj_size = 11;
  return {
      {"Lstm", classifier(deep)},
      {"Gru", classifier({.input_size = 6, .hidden_size = 37, .cell = Cell::gru})},
      {"RnnTanh", classifier({.input_size = 6, .hidden_size = 37, .cell = Cell::rnn_tanh})},
      {"RnnRelu", classifier({.input_size = 6, .hidden_size = 37, .cell = Cell::rnn_relu})},
      {"NoBias", classifier(no_bias)},
      {"WeightDropout", classifier(dropped)},
      {"Projection", classifier(projected)},
      {"Bf16", classifier(deep), {.precision = Precision::bf16}},
      {"Onednn", classifier(deep), {.backend = BackendKind::onednn}},
      {"SparseEmbedding", tagger({.vocabulary_size = kTokens, .padding_index = 3}, 5)},
      {"DenseEmbedding", tagger({.vocabulary_size = kTokens, .sparse = false}, 5)},
      {"TiedEmbedding", tagger({.vocabulary_size = kTokens, .tie_weights = true}, kTokens)},
      {"Convolution", convolution()},
  };
}

class NetworkUpdateTest : public ::testing::TestWithParam<UpdatedModel> {
 protected:
  Batch batch() const {
    Random random(1);
    return random_batch(GetParam().model, random_lengths(kSequences, kLongest, random), random);
  }
};

TEST_P(NetworkUpdateTest, UpdatesEachParameterOnce) {
  const auto& [name, model, options] = GetParam();
  Arena arena(2);
  Parameters parameters(model);
  parameters.initialize(1);
  const auto backend = make_backend({model, kLongest, kSequences, options}, parameters, arena);
  const WeightArrival all_are_there;
  backend->pack(all_are_there);
  const SparseRows rows = backend->differentiate(batch(), {}, 1, nullptr).gradient.rows;
  std::vector<std::atomic<int>> updates(parameters.values().size());
  backend->update(
      [&](const FlatRange& range) {
        for (std::size_t i = 0; i < range.size; ++i) ++updates.at(range.begin + i);
      },
      rows);
  const std::set<std::int32_t> present(rows.present.begin(), rows.present.end());
  for (const auto& slice : parameters.slices()) {
    for (std::size_t i = slice.offset; i < slice.offset + slice.size; ++i) {
      const bool is_absent =
          i < rows.size &&
          !present.contains(static_cast<std::int32_t>(i / static_cast<std::size_t>(rows.width)));
      ASSERT_EQ(updates[i], is_absent ? 0 : 1) << slice.name << " " << i - slice.offset;
    }
  }
}

/// Three steps, one way or the other: the weights, and outputs of the network that has them.
struct Trained {
  std::vector<float> weights, outputs;

  explicit Trained(Network& network, const Batch& batch)
      : weights(network.parameters().values().begin(), network.parameters().values().end()),
        outputs(static_cast<std::size_t>(
            (network.config().task == Task::tagging ? batch.steps() : batch.rows()) *
            network.config().output_size)) {
    network.predict(batch, outputs);
  }
  bool operator==(const Trained&) const = default;
};

TEST_P(NetworkUpdateTest, TrainsLikeAnOptimizerOverTheFlatArray) {
  const auto& [name, model, options] = GetParam();
  const Batch data = batch();
  for (const std::optional<double> clip_norm : {std::optional<double>(), std::optional(0.01)}) {
    const OptimizerConfig config{.kind = OptimizerConfig::Kind::sgd,
                                 .lr = 0.1,
                                 .momentum = 0.9,
                                 .weight_decay = 0.01,
                                 .clip_norm = clip_norm};
    Arena one(1);
    Network flat(model, kLongest, kSequences, one, options);
    flat.parameters().initialize(1);
    Optimizer optimizer(config, flat.parameters().values().size());
    for (std::uint64_t step = 0; step < 3; ++step) {
      const Gradient gradient = flat.differentiate(data, {kUpdateSeed, step}).gradient;
      const double scale = clip_norm ? std::min(1.0, *clip_norm / (gradient.norm + 1e-6)) : 1;
      optimizer.step(one, flat.parameters(), gradient, static_cast<float>(scale));
    }
    const Trained expected(flat, data);
    for (const int threads : {1, 2, 3}) {
      Arena arena(threads);
      Network network(model, kLongest, kSequences, arena, options);
      network.parameters().initialize(1);
      Trainer trainer(network, config, kUpdateSeed);
      for (int step = 0; step < 3; ++step) trainer.step(data);
      EXPECT_EQ(Trained(network, data), expected) << threads << " threads";
    }
  }
}

// Of every element, once all tasks that write to its range have told, what is there stays.
TEST_P(NetworkUpdateTest, AGradientIsRightOnceItsLastTaskHasTold) {
  const auto& [name, model, options] = GetParam();
  const Batch data = batch();
  for (const int threads : {1, 2, 4}) {
    Arena arena(threads);
    Network network(model, kLongest, kSequences, arena, options);
    network.parameters().initialize(1);
    const Derivative derivative = network.differentiate_sum(data, {kUpdateSeed, 1});
    const double norm = derivative.gradient.norm;
    const std::span<const float> values = network.gradient_values();
    const std::vector<float> expected(values.begin(), values.end());
    std::vector<int> left(values.size());
    const auto for_each = [](const FlatRange& range, const auto& body) {
      for (std::size_t i = range.begin; i < range.begin + range.size; ++i) body(i);
    };
    const std::vector<FlatRange> ranges = network.gradient_ranges();
    for (const FlatRange& range : ranges) for_each(range, [&](std::size_t i) { ++left[i]; });
    if (ranges.empty()) continue;
    std::vector<float> found(values.size());
    std::vector<std::size_t> order;
    std::mutex mutex;
    const GradientListener listener = [&](const FlatRange& range) {
      const std::scoped_lock lock(mutex);
      order.push_back(range.begin);
      for_each(range, [&](std::size_t i) {
        if (--left[i] == 0) found[i] = values[i];
      });
    };
    EXPECT_EQ(network.differentiate_sum(data, {kUpdateSeed, 1}, &listener).gradient.norm, norm);
    EXPECT_EQ(order.size(), ranges.size());
    EXPECT_EQ(std::ranges::count(left, 0), std::ssize(left));
    EXPECT_EQ(found, expected) << threads << " threads";
    if (model.rnn.num_layers == 1) continue;
    // Those of the last layer come before all of the first.
    const std::size_t second = network.parameters().slice("rnn.weight_ih_l1").offset;
    const auto is_first = [&](std::size_t begin) { return begin < second; };
    EXPECT_TRUE(std::ranges::is_partitioned(order, std::not_fn(is_first)));
  }
}

// Weights are not numbers until the pass has asked for them. One core, cores side by side, a team.
TEST_P(NetworkUpdateTest, APassReadsNoWeightBeforeItHasCome) {
  const auto& [name, model, options] = GetParam();
  const Batch data = batch();
  for (const int threads : {1, 2, 4}) {
    NetworkOptions its_options = options;
    if (options.backend != BackendKind::onednn) its_options.team_size = threads == 1 ? 1 : 2;
    Arena arena(threads);
    Network network(model, kLongest, kSequences, arena, its_options);
    network.parameters().initialize(1);
    const Trained expected(network, data);
    const auto gradient = [&] {
      const auto values = network.differentiate(data, {kUpdateSeed, 0}).gradient.values;
      return std::vector<float>(values.begin(), values.end());
    };
    const std::vector<float> expected_gradient = gradient();
    std::vector<float> weights;
    std::span<float> values;
    const auto change = [&] {
      ParameterEditor editor = network.parameters().edit();
      values = editor.values();
      weights.assign(values.begin(), values.end());
      std::ranges::fill(values, std::numeric_limits<float>::quiet_NaN());
    };
    std::mutex mutex;
    const auto come = [&](const FlatRange& range, bool waits) {
      const std::scoped_lock lock(mutex);
      if (!waits) return false;
      for (std::size_t i = range.begin; i < range.begin + range.size; ++i) {
        if (std::isnan(values[i])) values[i] = weights[i];
      }
      return true;
    };
    change();
    network.set_arrival(come);
    EXPECT_EQ(gradient(), expected_gradient) << threads << " threads";
    change();
    EXPECT_EQ(Trained(network, data), expected) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NetworkUpdateTest, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace quadgate
