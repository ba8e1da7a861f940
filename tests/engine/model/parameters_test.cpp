// Sweeps layers and directions for names, shapes and layout, and the initial weights of 40,000
// elements. Tolerance: 0.02 on the mean and the variance of U(-1, 1), five standard errors of them.

#include "engine/model/parameters.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <set>

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/threads/arena.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelConfig two_layers() {
  return {.rnn = {.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = true},
          .output_size = 7};
}

std::vector<std::string> names(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const auto& slice : parameters.slices()) names.push_back(slice.name);
  return names;
}

TEST(ParametersTest, HasPyTorchsNamesInItsOrder) {
  EXPECT_THAT(names(Parameters({.rnn = {.input_size = 3, .hidden_size = 5}, .output_size = 7})),
              ElementsAre("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0",
                          "rnn.bias_hh_l0", "head.weight", "head.bias"));
  EXPECT_THAT(
      names(Parameters(two_layers())),
      ElementsAre("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
                  "rnn.weight_ih_l0_reverse", "rnn.weight_hh_l0_reverse", "rnn.bias_ih_l0_reverse",
                  "rnn.bias_hh_l0_reverse", "rnn.weight_ih_l1", "rnn.weight_hh_l1",
                  "rnn.bias_ih_l1", "rnn.bias_hh_l1", "rnn.weight_ih_l1_reverse",
                  "rnn.weight_hh_l1_reverse", "rnn.bias_ih_l1_reverse", "rnn.bias_hh_l1_reverse",
                  "head.weight", "head.bias"));
}

TEST(ParametersTest, HavePytorchCrfsNamesBehindTheHead) {
  Parameters parameters({.rnn = {.input_size = 3, .hidden_size = 5},
                         .task = Task::tagging,
                         .output_size = 7,
                         .crf = true});
  EXPECT_THAT(names(parameters),
              ElementsAre("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0",
                          "rnn.bias_hh_l0", "head.weight", "head.bias", "crf.start_transitions",
                          "crf.end_transitions", "crf.transitions"));
  EXPECT_EQ(parameters.head_weight().name, "head.weight");
  EXPECT_EQ(parameters.head_bias().name, "head.bias");
  EXPECT_THAT(parameters.slice("crf.transitions").shape, ElementsAre(7, 7));
  parameters.initialize(1);
  float largest = 0;
  for (const float value : parameters.value(parameters.slice("crf.transitions"))) {
    largest = std::max(largest, std::abs(value));
  }
  EXPECT_LE(largest, 0.1F);
  EXPECT_GE(largest, 0.05F);
}

TEST(ParametersTest, MoreThanMemoryHoldsIsNotCountedModulo64Bits) {
  ModelConfig config = two_layers();
  config.rnn.input_size = 1 << 11;
  config.conv = ConvConfig{.input_size = 1 << 30, .channels = 1 << 11, .kernel_size = 1 << 21};
  EXPECT_THROW(Parameters{config}, std::bad_alloc);
}

TEST(ParametersTest, AreCountedWithoutBeingMade) {
  ModelConfig tagger{.rnn = {.input_size = 3, .hidden_size = 6, .num_layers = 3, .proj_size = 3},
                     .task = Task::tagging,
                     .output_size = 4,
                     .embedding = {.vocabulary_size = 4}};
  ModelConfig tied = tagger;
  tied.embedding.tie_weights = true;
  ModelConfig conv = two_layers();
  conv.conv = ConvConfig{.input_size = 2, .channels = conv.rnn.input_size, .kernel_size = 3};
  conv.rnn.bias = false;
  conv.rnn.cell = Cell::gru;
  ModelConfig crf = tagger;
  crf.crf = true;
  for (const ModelConfig& config : {two_layers(), tagger, tied, conv, crf}) {
    std::size_t size = 0;
    const Parameters parameters(config);
    for (const ParameterSlice& slice : parameters.slices()) size += slice.size;
    EXPECT_EQ(count_parameters(config), size);
  }
}

TEST(ParametersTest, HasPyTorchsShapes) {
  const Parameters parameters(two_layers());
  EXPECT_THAT(parameters.slice("rnn.weight_ih_l0_reverse").shape, ElementsAre(20, 3));
  EXPECT_THAT(parameters.slice("rnn.weight_ih_l1").shape, ElementsAre(20, 10));
  EXPECT_THAT(parameters.slice("rnn.weight_hh_l1").shape, ElementsAre(20, 5));
  EXPECT_THAT(parameters.slice("rnn.bias_ih_l1_reverse").shape, ElementsAre(20));
  EXPECT_THAT(parameters.head_weight().shape, ElementsAre(7, 10));
  EXPECT_THAT(parameters.head_bias().shape, ElementsAre(7));
  ModelConfig config = two_layers();
  config.rnn.cell = Cell::gru;
  EXPECT_THAT(Parameters(config).slice("rnn.weight_ih_l1").shape, ElementsAre(15, 10));
  EXPECT_THAT(Parameters(config).slice("rnn.bias_hh_l0").shape, ElementsAre(15));
  config.rnn.cell = Cell::rnn_relu;
  EXPECT_THAT(Parameters(config).slice("rnn.weight_hh_l0_reverse").shape, ElementsAre(5, 5));
  config = two_layers();
  config.rnn.proj_size = 2;
  EXPECT_THAT(Parameters(config).slice("rnn.weight_hh_l0_reverse").shape, ElementsAre(20, 2));
  EXPECT_THAT(Parameters(config).slice("rnn.weight_ih_l1").shape, ElementsAre(20, 4));
  EXPECT_THAT(Parameters(config).slice("rnn.weight_hr_l1").shape, ElementsAre(2, 5));
  EXPECT_THAT(Parameters(config).head_weight().shape, ElementsAre(7, 4));
}

TEST(ParametersTest, HasTheConvolutionBehindTheEmbedding) {
  ModelConfig config{.rnn = {.input_size = 6, .hidden_size = 5},
                     .output_size = 7,
                     .conv = ConvConfig{.input_size = 4, .channels = 6, .kernel_size = 3}};
  EXPECT_EQ(names(Parameters(config))[0], "conv.weight");
  config.embedding.vocabulary_size = 9;
  Parameters parameters(config);
  EXPECT_EQ(names(parameters)[0], "embedding.weight");
  EXPECT_EQ(names(parameters)[1], "conv.weight");
  EXPECT_EQ(names(parameters)[2], "conv.bias");
  EXPECT_EQ(names(parameters)[3], "rnn.weight_ih_l0");
  EXPECT_THAT(parameters.slices()[0].shape, ElementsAre(9, 4));
  EXPECT_THAT(parameters.slices()[1].shape, ElementsAre(6, 4, 3));
  EXPECT_THAT(parameters.slices()[2].shape, ElementsAre(6));
  EXPECT_THAT(parameters.slices()[3].shape, ElementsAre(20, 6));
}

TEST(ParametersTest, BoundsTheConvolutionByTheInputsOfAWindow) {
  Parameters parameters({.rnn = {.input_size = 500, .hidden_size = 2},
                         .output_size = 1,
                         .conv = ConvConfig{.input_size = 20, .channels = 500, .kernel_size = 5}});
  parameters.initialize(1);
  for (const char* name : {"conv.weight", "conv.bias"}) {
    float largest = 0;
    for (const float weight : parameters.value(parameters.slice(name))) {
      largest = std::max(largest, std::abs(weight));
    }
    EXPECT_LE(largest, 0.1F) << name;  // 1 / sqrt(20 * 5)
    EXPECT_GT(largest, 0.099F) << name;
  }
}

TEST(ParametersTest, LaysTensorsOutOneAfterTheOtherOnCacheLines) {
  Parameters parameters(two_layers());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(parameters.values().data()) % 64, 0);
  std::size_t end = 0;
  for (const auto& slice : parameters.slices()) {
    std::int64_t size = 1;
    for (const std::int64_t length : slice.shape) size *= length;
    EXPECT_EQ(slice.size, static_cast<std::size_t>(size));
    EXPECT_EQ(slice.offset, (end + 15) / 16 * 16);
    EXPECT_EQ(parameters.value(slice).data(), parameters.values().data() + slice.offset);
    EXPECT_EQ(parameters.value(slice).size(), slice.size);
    end = slice.offset + slice.size;
  }
  EXPECT_EQ(parameters.values().size(), (end + 15) / 16 * 16);
}

TEST(ParametersTest, AnEditorsEndIsAChange) {
  Parameters parameters(two_layers());
  std::uint64_t version = parameters.version();
  {
    ParameterEditor editor = parameters.edit();
    editor.value("head.bias")[2] = 3;
    EXPECT_EQ(editor.values().data(), parameters.values().data());
    ParameterEditor moved = std::move(editor);
    EXPECT_THROW(parameters.version(), InvalidArgument);
  }
  EXPECT_EQ(parameters.value(parameters.head_bias())[2], 3);
  EXPECT_NE(parameters.version(), std::exchange(version, parameters.version()));
  EXPECT_EQ(parameters.version(), version);
  parameters.initialize(1);
  EXPECT_NE(parameters.version(), version);
}

TEST(ParametersTest, RefusesAnUnknownName) {
  const Parameters parameters(two_layers());
  try {
    parameters.slice("rnn.weight_ih_l2");
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("rnn.weight_ih_l2"));
  }
}

TEST(ParametersTest, StartsAtZeroAndKeepsTheGapsThere) {
  Parameters parameters(two_layers());
  for (const float value : parameters.values()) EXPECT_EQ(value, 0);
  parameters.initialize(1);
  std::set<std::size_t> used;
  for (const auto& slice : parameters.slices()) {
    for (std::size_t i = 0; i < slice.size; ++i) used.insert(slice.offset + i);
  }
  for (std::size_t i = 0; i < parameters.values().size(); ++i) {
    EXPECT_TRUE(used.contains(i) || parameters.values()[i] == 0) << i;
  }
}

TEST(ParametersTest, InitializesUniformlyWithinPyTorchsBounds) {
  Parameters parameters({.rnn = {.input_size = 100, .hidden_size = 100}, .output_size = 400});
  parameters.initialize(1);
  for (const auto& slice : parameters.slices()) {
    double sum = 0;
    double squares = 0;
    for (const float weight : parameters.value(slice)) {
      ASSERT_LE(std::abs(weight), 0.1F) << slice.name;  // 1 / sqrt(100)
      sum += weight * 10;
      squares += weight * 10 * weight * 10;
    }
    const auto size = static_cast<double>(slice.size);
    if (size < 10000) continue;
    EXPECT_NEAR(sum / size, 0, 0.02) << slice.name;
    EXPECT_NEAR(squares / size, 1.0 / 3, 0.02) << slice.name;
  }
}

TEST(ParametersTest, BoundsTheHeadByItsOwnInputs) {
  Parameters parameters(
      {.rnn = {.input_size = 2, .hidden_size = 50, .bidirectional = true}, .output_size = 1000});
  parameters.initialize(1);
  float largest = 0;
  for (const float weight : parameters.value(parameters.head_weight())) {
    largest = std::max(largest, std::abs(weight));
  }
  EXPECT_LE(largest, 0.1F);  // 1 / sqrt(2 * 50)
  EXPECT_GT(largest, 0.0999F);
}

TEST(ParametersTest, InitializesFromTheSeedAlone) {
  Parameters first(two_layers());
  Parameters second(two_layers());
  const auto same = [&] {
    return std::memcmp(first.values().data(), second.values().data(),
                       first.values().size_bytes()) == 0;
  };
  first.initialize(1);
  second.initialize(2);
  EXPECT_FALSE(same());
  second.initialize(1);
  EXPECT_TRUE(same());
  const auto forward = first.value(first.slice("rnn.weight_hh_l0"));
  const auto reverse = first.value(first.slice("rnn.weight_hh_l0_reverse"));
  EXPECT_FALSE(std::ranges::equal(forward, reverse));
}

// Tensors of several tiles, of 16,384 weights each, and one whose last block of four is not whole.
TEST(ParametersTest, EachWeightIsOfItsOwnRandomWordAtEveryThreadCount) {
  constexpr std::uint64_t kSeed = 0x123456789;
  const ModelConfig config{.rnn = {.input_size = 61, .hidden_size = 131},
                           .output_size = 3,
                           .embedding = {.vocabulary_size = 1001, .padding_index = 1000}};
  for (const int threads : {0, 1, 3}) {
    Parameters parameters(config);
    std::optional<Arena> arena;
    if (threads > 0) arena.emplace(threads);
    parameters.initialize(kSeed, arena ? &*arena : nullptr);
    for (std::size_t tensor = 0; tensor < parameters.slices().size(); ++tensor) {
      const ParameterSlice& slice = parameters.slices()[tensor];
      const auto weights = parameters.value(slice);
      const float bound = 1 / std::sqrt(131.0F);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto words = philox(
            kSeed, {static_cast<std::uint32_t>(RandomUse::init), static_cast<std::uint32_t>(tensor),
                    static_cast<std::uint32_t>(i / 4), 0});
        const float expected = tensor > 0         ? bound * (2 * to_unit_float(words[i % 4]) - 1)
                               : i >= 1000U * 61U ? 0
                                                  : to_normal_floats(words)[i % 4];
        ASSERT_EQ(weights[i], expected) << slice.name << " " << i << ", threads: " << threads;
      }
    }
  }
}

}  // namespace
}  // namespace quadgate
