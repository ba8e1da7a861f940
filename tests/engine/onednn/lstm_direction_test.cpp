// Sweeps hidden sizes over and below oneDNN's vectors, changed weights and repeated calls of one
// direction of one layer. Tolerance: 1e-5 of the largest element, as for the whole LSTM.

#include "engine/onednn/lstm_direction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "engine/threads/arena.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::onednn {
namespace {

using testing::Random;
using testing::relative_error;

constexpr double kDirectionTolerance = 1e-5;

/// One direction with arrays of its own, beside the reference.
class OnednnLstmTest : public ::testing::TestWithParam<LstmShape> {
 protected:
  OnednnLstmTest()
      : config_{.input_size = shape_.input_size, .hidden_size = shape_.hidden_size},
        x_(floats(shape_.seq_len * shape_.input_size)),
        y_(floats(shape_.seq_len * shape_.hidden_size)),
        state_(floats(shape_.hidden_size)),
        weight_ih_(static_cast<std::size_t>(4 * shape_.hidden_size * shape_.input_size)),
        weight_hh_(static_cast<std::size_t>(4 * shape_.hidden_size * shape_.hidden_size)),
        bias_ih_(static_cast<std::size_t>(4 * shape_.hidden_size)),
        bias_hh_(bias_ih_),
        weights_(shape_, weight_ih_.data(), weight_hh_.data(), bias_ih_.data(), bias_hh_.data()) {
    arrays_.y = y_.data();
    for (auto [array, size] : {std::pair(&arrays_.x, x_.size()),
                               {&arrays_.h0, state_.size()},
                               {&arrays_.c0, state_.size()},
                               {&arrays_.h_n, state_.size()},
                               {&arrays_.c_n, state_.size()},
                               {&arrays_.dx, x_.size()},
                               {&arrays_.dh0, state_.size()},
                               {&arrays_.dc0, state_.size()},
                               {&arrays_.dy, y_.size()},
                               {&arrays_.dh_n, state_.size()},
                               {&arrays_.dc_n, state_.size()}}) {
      buffers_.emplace_back(size);
      *array = buffers_.back().data();
    }
    arena_.for_each(1, [&](std::int64_t) { lstm_.emplace(weights_, arrays_); });
  }

  std::size_t floats(std::int64_t width) const {
    return static_cast<std::size_t>(shape_.batch * width);
  }
  static void copy(const std::vector<double>& from, float* to) {
    std::ranges::transform(from, to, [](double value) { return static_cast<float>(value); });
  }
  static std::vector<float> read(const float* data, std::size_t size) {
    return {data, data + size};
  }

  void set_inputs(const testing::LstmInputs<double>& inputs) {
    copy(inputs.x, arrays_.x);
    copy(inputs.h0, arrays_.h0);
    copy(inputs.c0, arrays_.c0);
    copy(inputs.directions[0].weight_ih, weight_ih_.data());
    copy(inputs.directions[0].weight_hh, weight_hh_.data());
    copy(inputs.directions[0].bias_ih, bias_ih_.data());
    copy(inputs.directions[0].bias_hh, bias_hh_.data());
    arena_.for_each(2, [&](std::int64_t index) {
      index == 0 ? weights_.pack_input() : weights_.pack_hidden();
    });
  }

  LstmShape shape_ = GetParam();
  RecurrentConfig config_;
  Arena arena_{1};
  std::vector<float> x_, y_, state_;
  std::vector<float> weight_ih_, weight_hh_, bias_ih_, bias_hh_;
  std::vector<std::vector<float>> buffers_;
  LstmArrays arrays_;
  DirectionWeights weights_;
  std::optional<LstmDirection> lstm_;
};

TEST_P(OnednnLstmTest, FollowsTheReferenceWithEveryNewWeight) {
  Random random(1);
  const std::vector lengths(static_cast<std::size_t>(shape_.batch), shape_.seq_len);
  for (int run = 0; run < 3; ++run) {
    const auto inputs = random_lstm_inputs(config_, shape_.seq_len, shape_.batch, random);
    const auto d_outputs = random_lstm_gradients(config_, shape_.seq_len, lengths, true, random);
    const testing::LstmReference<double> reference(config_, shape_.seq_len, lengths, inputs);
    const auto expected = reference.backward(d_outputs);
    set_inputs(inputs);
    copy(d_outputs.output, arrays_.dy);
    copy(d_outputs.h_n, arrays_.dh_n);
    copy(d_outputs.c_n, arrays_.dc_n);
    const auto& layout = weights_.gradient_layout();
    std::vector<float> gradients(layout.size, NAN);
    arena_.for_each(1, [&](std::int64_t) { lstm_->backward(lstm_->forward(), gradients.data()); });

    EXPECT_LE(relative_error(y_, reference.outputs().output), kDirectionTolerance);
    EXPECT_LE(relative_error(read(arrays_.h_n, state_.size()), reference.outputs().h_n),
              kDirectionTolerance);
    EXPECT_LE(relative_error(read(arrays_.c_n, state_.size()), reference.outputs().c_n),
              kDirectionTolerance);
    EXPECT_LE(relative_error(read(arrays_.dx, x_.size()), expected.x), kDirectionTolerance);
    EXPECT_LE(relative_error(read(arrays_.dh0, state_.size()), expected.h0), kDirectionTolerance);
    EXPECT_LE(relative_error(read(arrays_.dc0, state_.size()), expected.c0), kDirectionTolerance);
    const auto& bias = expected.directions[0].bias_ih;
    EXPECT_LE(relative_error(read(&gradients[layout.bias], bias.size()), bias),
              kDirectionTolerance);
  }
}

TEST_P(OnednnLstmTest, OverwritesTheGradients) {
  Random random(1);
  set_inputs(random_lstm_inputs(config_, shape_.seq_len, shape_.batch, random));
  std::fill_n(arrays_.dy, y_.size(), 1.0F);
  std::vector<float> once(weights_.gradient_layout().size, NAN);
  std::vector<float> again(once.size(), 7);
  arena_.for_each(1, [&](std::int64_t) {
    const LstmDirection::Forward forward = lstm_->forward();
    lstm_->backward(forward, once.data());
    lstm_->backward(forward, again.data());
  });
  EXPECT_EQ(once, again);
}

INSTANTIATE_TEST_SUITE_P(Shapes, OnednnLstmTest,
                         ::testing::Values(LstmShape{1, 1, 1, 1}, LstmShape{4, 3, 5, 7},
                                           LstmShape{6, 16, 28, 32}, LstmShape{3, 2, 64, 40}));

}  // namespace
}  // namespace quadgate::onednn
