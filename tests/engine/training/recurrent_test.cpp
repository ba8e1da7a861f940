// What recurrent_test.py in tests/torch does not see: bits over threads, padding, bad input, and
// the derivatives of the initial states by finite differences where there is no PyTorch. Tolerance
// of those: 2e-2 of values around 1, since differences of floats cancel.

#include "engine/training/recurrent.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "engine/base/buffer.h"
#include "engine/base/error.h"
#include "kernels/base/isa.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::int64_t kSeqLen = 5;
constexpr std::int64_t kBatch = 7;
const std::vector<std::int64_t> kLengths{2, 5, 1, 5, 4, 3, 1};

RecurrentConfig config(Cell cell, std::int64_t hidden_size = 18) {
  return {.input_size = 3,
          .hidden_size = hidden_size,
          .num_layers = 2,
          .bidirectional = true,
          .cell = cell};
}

/// Everything that goes into a forward and a backward pass, random.
struct Inputs {
  std::vector<float> x, d_output;
  RecurrentStates states, d_states;

  explicit Inputs(const RecurrentConfig& config) {
    testing::Random random(1);
    const auto values = [&](std::int64_t size) {
      return random.values(static_cast<std::size_t>(size));
    };
    const std::int64_t parts = config.num_layers * config.num_directions();
    const std::int64_t c_size = config.cell == Cell::lstm ? config.hidden_size : 0;
    x = values(kSeqLen * kBatch * config.input_size);
    d_output = values(kSeqLen * kBatch * config.output_size());
    for (auto* of : {&states, &d_states}) {
      of->h = values(parts * kBatch * config.h_size());
      of->c = values(parts * kBatch * c_size);
    }
  }

  Recurrent::Input input() const {
    return {.x = x, .seq_len = kSeqLen, .batch = kBatch, .lengths = kLengths, .states = &states};
  }
};

/// All that comes out, in one array.
std::vector<float> results(Recurrent& rnn, const Inputs& inputs) {
  Recurrent::Forward forward = rnn.forward(inputs.input());
  const std::span<const float> output = forward.output();
  std::vector<float> all(output.begin(), output.end());
  for (const auto& states : {forward.final_states().h, forward.final_states().c}) {
    all.insert(all.end(), states.begin(), states.end());
  }
  const Recurrent::Backward backward =
      rnn.backward(std::move(forward), inputs.d_output, &inputs.d_states);
  for (const std::span<const float> more :
       {backward.d_input(), std::span<const float>(backward.d_states().h),
        std::span<const float>(backward.d_states().c), backward.gradient().values}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

TEST(RecurrentTest, HasTheSameBitsAtEveryNumberOfThreads) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    const RecurrentConfig large = config(cell, 90);  // work for more than one core
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      std::vector<float> expected;
      for (const int threads : {1, 2, 4}) {
        Arena arena(threads);
        Recurrent rnn(large, {.seq_len = kSeqLen, .batch_size = kBatch, .precision = precision},
                      arena);
        const auto found = results(rnn, Inputs(large));
        if (threads == 1) expected = found;
        ASSERT_EQ(found.size(), expected.size());
        EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0)
            << to_string(cell) << ", threads " << threads;
      }
    }
  }
}

class RecurrentIsaTest : public ::testing::TestWithParam<kernels::Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > kernels::detected_isa()) GTEST_SKIP() << "NOT TESTED: this machine has none";
    kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::Isa::amx_bf16); }
};

/// bf16 has 8 bits of a number, so that results differ by up to some percent.
TEST_P(RecurrentIsaTest, ComputesInBf16RoughlyWhatItDoesInF32) {
  Arena arena(2);
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    const auto computed = [&](Precision precision) {
      Recurrent rnn(config(cell),
                    {.seq_len = kSeqLen, .batch_size = kBatch, .precision = precision}, arena);
      return results(rnn, Inputs(config(cell)));
    };
    const auto expected = computed(Precision::f32);
    const double error = testing::relative_error(computed(Precision::bf16), expected);
    EXPECT_GT(error, 1e-4) << to_string(cell);
    EXPECT_LT(error, 0.05) << to_string(cell);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, RecurrentIsaTest,
                         ::testing::Values(kernels::Isa::scalar, kernels::Isa::avx2,
                                           kernels::Isa::avx512),
                         [](const auto& test) {
                           return std::string(kernels::to_string(test.param));
                         });

TEST(RecurrentTest, WhatIsBeyondTheLengthsCountsForNothing) {
  Arena arena(2);
  Recurrent rnn(config(Cell::lstm), {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
  Inputs inputs(config(Cell::lstm));
  const auto expected = results(rnn, inputs);
  for (std::int64_t t = 0; t < kSeqLen; ++t) {
    for (std::int64_t row = 0; row < kBatch; ++row) {
      if (t < kLengths[static_cast<std::size_t>(row)]) continue;
      const auto spoil = [&](std::vector<float>& values, std::int64_t size) {
        std::fill_n(values.begin() + (t * kBatch + row) * size, size,
                    std::numeric_limits<float>::quiet_NaN());
      };
      spoil(inputs.x, rnn.config().input_size);
      spoil(inputs.d_output, rnn.config().output_size());
    }
  }
  EXPECT_EQ(results(rnn, inputs), expected);
}

TEST(RecurrentTest, DerivativesOfTheInitialStatesAreDifferences) {
  Arena arena(1);
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    Recurrent rnn(config(cell), {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
    Inputs inputs(config(cell));
    const RecurrentStates d =
        rnn.backward(rnn.forward(inputs.input()), inputs.d_output, &inputs.d_states).d_states();
    const auto loss = [&] {
      const Recurrent::Forward forward = rnn.forward(inputs.input());
      const auto dot = [](std::span<const float> a, std::span<const float> b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
      };
      return dot(forward.output(), inputs.d_output) +
             dot(forward.final_states().h, inputs.d_states.h) +
             dot(forward.final_states().c, inputs.d_states.c);
    };
    for (auto [values, derivatives] :
         {std::pair{&inputs.states.h, &d.h}, std::pair{&inputs.states.c, &d.c}}) {
      for (std::size_t i = 0; i < values->size(); i += 17) {
        constexpr float kStep = 1.0F / 128;
        const float before = (*values)[i];
        (*values)[i] = before + kStep;
        const double above = loss();
        (*values)[i] = before - kStep;
        const double below = loss();
        (*values)[i] = before;
        EXPECT_NEAR((above - below) / (2 * kStep), (*derivatives)[i], 2e-2) << i;
      }
    }
  }
}

TEST(RecurrentTest, GradientsGoToMemoryOfTheCaller) {
  Arena arena(2);
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    RecurrentConfig projected = config(cell);
    projected.proj_size = cell == Cell::lstm ? 5 : 0;
    const Inputs inputs(projected);
    Recurrent rnn(projected, {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
    const auto gradient = [&](std::span<float> callers) {
      return rnn
          .backward(rnn.forward(inputs.input()), inputs.d_output, &inputs.d_states, {}, callers)
          .gradient();
    };
    const auto own = gradient({}).values;
    const std::vector<float> expected(own.begin(), own.end());
    std::vector<float> callers(expected.size(), std::numeric_limits<float>::quiet_NaN());
    const Gradient found = gradient(callers);
    EXPECT_EQ(found.values.data(), callers.data());
    for (const auto& slice : rnn.parameters().slices()) {
      const std::span<const float> of = std::span(expected).subspan(slice.offset, slice.size);
      EXPECT_THAT(found.of(slice), ::testing::ElementsAreArray(of)) << slice.name;
    }
    EXPECT_EQ(gradient({}).values.data(), own.data());  // its own again
    EXPECT_THAT([&] { gradient(std::span(callers).first(3)); },
                ThrowsMessage<InvalidArgument>(HasSubstr("gradient: expected")));
  }
}

TEST(RecurrentTest, WeightsMayLieInMemoryOfTheCaller) {
  Arena arena(2);
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    RecurrentConfig projected = config(cell);
    projected.proj_size = cell == Cell::lstm ? 5 : 0;
    const Inputs inputs(projected);
    const RecurrentPlan plan{.seq_len = kSeqLen, .batch_size = kBatch};
    Recurrent own(projected, plan, arena);
    Recurrent callers(projected, plan, arena, 2);
    std::vector<std::vector<float>> arrays;
    std::vector<const float*> tensors;
    for (const auto& slice : own.parameters().slices()) {
      const auto value = own.parameters().value(slice);
      tensors.push_back(arrays.emplace_back(value.begin(), value.end()).data());
    }
    callers.parameters().lie_in(tensors);
    EXPECT_TRUE(callers.parameters().values().empty());
    const auto results = [&](Recurrent& rnn, auto between) {
      auto forward = rnn.forward(inputs.input());
      std::vector<float> all(forward.output().begin(), forward.output().end());
      between();
      const auto backward = rnn.backward(std::move(forward), inputs.d_output, &inputs.d_states);
      const auto gradient = backward.gradient().values;
      all.insert(all.end(), gradient.begin(), gradient.end());
      return all;
    };
    const auto nothing = [] {};
    const auto expected = results(own, nothing);
    // They are read in the first pass, and no more.
    const auto clear = [&] {
      for (auto& array : arrays) std::ranges::fill(array, 0.0F);
    };
    EXPECT_EQ(results(callers, clear), expected);
    EXPECT_EQ(results(callers, nothing), expected);
    callers.parameters().lie_in(tensors);
    EXPECT_NE(results(callers, nothing), expected);
    EXPECT_THAT([&] { callers.parameters().lie_in(std::span(tensors).first(3)); },
                ThrowsMessage<InvalidArgument>(HasSubstr("weights: expected")));
    EXPECT_THROW((void)callers.parameters().edit(), InvalidArgument);
    EXPECT_THROW(callers.parameters().initialize(1), InvalidArgument);
  }
  RecurrentConfig dropped = config(Cell::lstm, 8);
  dropped.weight_dropout = 0.3;
  Recurrent rnn(dropped, {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
  std::vector<const float*> tensors(rnn.parameters().slices().size());
  EXPECT_THROW(rnn.parameters().lie_in(tensors), InvalidArgument);
}

/// [T, N, width] as [N, T, width].
std::vector<float> batch_first(const std::vector<float>& rows) {
  const std::int64_t width = std::ssize(rows) / (kSeqLen * kBatch);
  std::vector<float> turned;
  for (std::int64_t row = 0; row < kBatch; ++row) {
    for (std::int64_t t = 0; t < kSeqLen; ++t) {
      const auto from = rows.begin() + (t * kBatch + row) * width;
      turned.insert(turned.end(), from, from + width);
    }
  }
  return turned;
}

TEST(RecurrentTest, GivesTheSameBitsWhereverTheRowsLie) {
  Arena arena(2);
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    for (const std::int64_t layers : {1, 2, 3}) {
      RecurrentConfig deep = config(Cell::gru, 70);
      deep.num_layers = layers;
      const Inputs inputs(deep);
      Inputs turned = inputs;
      turned.x = batch_first(inputs.x);
      turned.d_output = batch_first(inputs.d_output);
      const auto copy = [](std::span<const float> of) { return std::vector(of.begin(), of.end()); };
      const auto run = [&](RecurrentPlan plan, const Inputs& of, bool packed) {
        plan.seq_len = kSeqLen;
        plan.batch_size = kBatch;
        plan.precision = precision;
        Recurrent rnn(deep, plan, arena);
        Recurrent::Input input = of.input();
        input.lengths = {};
        input.packed = packed;
        Recurrent::Forward forward = rnn.forward(input);
        const auto y = copy(forward.output());
        const auto backward = rnn.backward(std::move(forward), of.d_output, &of.d_states);
        return std::vector{y, copy(backward.d_input()), copy(backward.gradient().values)};
      };
      const auto expected = run({}, inputs, false);
      EXPECT_EQ(run({.x_stays = true}, inputs, false), expected);
      EXPECT_EQ(run({.x_stays = true}, inputs, true), expected);
      auto rows = expected;
      rows[0] = batch_first(expected[0]);
      rows[1] = batch_first(expected[1]);
      EXPECT_EQ(run({.batch_first = true, .x_stays = true}, turned, false), rows);
    }
  }
}

TEST(RecurrentTest, ReadsAnInputThatStaysWhereItLies) {
  Arena arena(1);
  for (const bool stays : {false, true}) {
    const std::size_t before = Buffer::bytes_held();
    Recurrent rnn(config(Cell::lstm), {.seq_len = kSeqLen, .batch_size = kBatch, .x_stays = stays},
                  arena);
    const std::size_t planned = Buffer::bytes_held() - before;
    Inputs inputs(config(Cell::lstm));
    Recurrent::Input input = inputs.input();
    input.lengths = {};
    Recurrent::Forward forward = rnn.forward(input);
    std::ranges::fill(inputs.x, 0.0F);
    const auto backward = rnn.backward(std::move(forward), inputs.d_output);
    const auto d_weight = backward.gradient().of(rnn.parameters().slice("weight_ih_l0"));
    EXPECT_EQ(std::ranges::all_of(d_weight, [](float d) { return d == 0; }), stays);
    EXPECT_EQ(Buffer::bytes_held() - before > planned, !stays);
  }
}

TEST(RecurrentTest, TakesABatchOfNoSequences) {
  Arena arena(1);
  Recurrent rnn(config(Cell::lstm), {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
  const auto expected = results(rnn, Inputs(config(Cell::lstm)));
  const Recurrent::Input empty{.x = {}, .seq_len = kSeqLen, .batch = 0};
  Recurrent::Forward forward = rnn.forward(empty);
  EXPECT_TRUE(forward.output().empty());
  EXPECT_TRUE(forward.final_states().h.empty());
  const Recurrent::Backward backward = rnn.backward(std::move(forward), {});
  EXPECT_THAT(backward.gradient().values, ::testing::Each(0.0F));
  EXPECT_TRUE(backward.d_input().empty());
  EXPECT_EQ(results(rnn, Inputs(config(Cell::lstm))), expected);
}

TEST(RecurrentTest, NamesWhatDoesNotFit) {
  Arena arena(1);
  Recurrent rnn(config(Cell::gru), {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
  const Inputs inputs(config(Cell::gru));
  const auto expect = [&](auto change, const char* message) {
    Recurrent::Input input = inputs.input();
    change(input);
    Recurrent::Forward before = rnn.forward(inputs.input());
    EXPECT_THAT([&] { rnn.forward(input); }, ThrowsMessage<InvalidArgument>(HasSubstr(message)));
    EXPECT_THAT([&] { rnn.backward(std::move(before), inputs.d_output); },
                ThrowsMessage<InvalidArgument>(HasSubstr("expected the last forward pass")));
  };
  expect([](auto& in) { in.seq_len = 0; }, "seq_len: expected 1 to 5, found 0");
  expect([](auto& in) { in.batch = 8; }, "batch: expected 0 to 7, found 8");
  expect([](auto& in) { in.x = in.x.first(10); }, "x: expected 105 values, found 10");
  expect([](auto& in) { in.lengths = in.lengths.first(2); }, "lengths: expected 7 values, found 2");
  std::vector<std::int64_t> lengths = kLengths;
  lengths[3] = 0;
  expect([&](auto& in) { in.lengths = lengths; }, "lengths: row 3: expected 1 to 5 (seq_len)");
  RecurrentStates states = inputs.states;
  states.c.resize(1);
  expect([&](auto& in) { in.states = &states; }, "states.c: expected 0 values, found 1");
  Recurrent::Forward forward = rnn.forward(inputs.input());
  // What throws has not used the pass up, and what does use it says so the next time.
  // NOLINTBEGIN(bugprone-use-after-move)
  EXPECT_THAT([&] { rnn.backward(std::move(forward), std::span(inputs.d_output).first(1)); },
              ThrowsMessage<InvalidArgument>(HasSubstr("d_output: expected 1260 values, found 1")));
  rnn.backward(std::move(forward), inputs.d_output);
  EXPECT_THAT([&] { rnn.backward(std::move(forward), inputs.d_output); },
              ThrowsMessage<InvalidArgument>(HasSubstr("expected the last forward pass")));
  // NOLINTEND(bugprone-use-after-move)
  Recurrent other(config(Cell::gru), {.seq_len = kSeqLen, .batch_size = kBatch}, arena);
  EXPECT_THAT([&] { rnn.backward(other.forward(inputs.input()), inputs.d_output); },
              ThrowsMessage<InvalidArgument>(HasSubstr("expected the last forward pass")));
  EXPECT_THAT([&] { Recurrent(config(Cell::gru), {}, arena); },
              ThrowsMessage<InvalidArgument>(HasSubstr("seq_len: expected")));
  RecurrentConfig projected = config(Cell::lstm);
  projected.proj_size = 18;
  EXPECT_THAT([&] { Recurrent(projected, {.seq_len = 1, .batch_size = 1}, arena); },
              ThrowsMessage<InvalidArgument>(HasSubstr("proj_size: expected 0 to 17")));
}

}  // namespace
}  // namespace quadgate
