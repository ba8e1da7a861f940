#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/model/parameters.h"
#include "engine/onednn/lstm_stack.h"
#include "engine/threads/arena.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::testing {

/// The engine's onednn::LstmStack, fed and read through the structures of the reference.
class EngineLstm {
 public:
  EngineLstm(const RecurrentConfig& config, std::int64_t seq_len, std::vector<std::int64_t> lengths)
      : lengths_(std::move(lengths)),
        parameters_({.rnn = config, .task = Task::tagging, .output_size = 1}),
        weights_(config, parameters_, seq_len, static_cast<std::int64_t>(lengths_.size())) {
    arena_.for_each(1, [&](std::int64_t) {
      lstm_.emplace(config, weights_, seq_len, static_cast<std::int64_t>(lengths_.size()));
    });
  }

  /// `dropout` as onednn::LstmStack::forward takes it.
  LstmOutputs<float> forward(const LstmInputs<double>& inputs,
                             const onednn::DropoutMask* dropout = nullptr) {
    copy(inputs.x, lstm_->input());
    copy(inputs.h0, lstm_->h0());
    copy(inputs.c0, lstm_->c0());
    ParameterEditor editor = parameters_.edit();
    for (std::size_t i = 0; i < inputs.directions.size(); ++i) {
      copy(inputs.directions[i].weight_ih, editor.value(tensor(i, 0)));
      copy(inputs.directions[i].weight_hh, editor.value(tensor(i, 1)));
      copy(inputs.directions[i].bias_ih, editor.value(tensor(i, 2)));
      copy(inputs.directions[i].bias_hh, editor.value(tensor(i, 3)));
    }
    weights_.pack(arena_);
    arena_.for_each(1, [&](std::int64_t) { forward_.emplace(lstm_->forward(lengths_, dropout)); });
    return {to_vector(lstm_->output()), to_vector(lstm_->h_n()), to_vector(lstm_->c_n())};
  }

  /// Of the last forward. The gradients start as NaN, so that one that nobody writes is seen.
  LstmInputs<float> backward(const LstmOutputs<double>& d_outputs) {
    copy(d_outputs.output, lstm_->d_output());
    copy(d_outputs.h_n, lstm_->d_h_n());
    copy(d_outputs.c_n, lstm_->d_c_n());
    std::vector<float> gradients(weights_.gradient_size(), NAN);
    arena_.for_each(1, [&](std::int64_t) { lstm_->backward(forward_.value(), gradients.data()); });
    LstmInputs<float> d_inputs{
        to_vector(lstm_->d_input()), to_vector(lstm_->d_h0()), to_vector(lstm_->d_c0()), {}};
    for (std::size_t i = 0; i < weights_.directions().size(); ++i) {
      const auto& layout = weights_.directions()[i].gradient_layout();
      const float* first = gradients.data() + weights_.gradient_offsets()[i];
      const float* bias = first + layout.bias;
      const std::vector<float> d_bias(bias, bias + tensor(i, 2).size);
      d_inputs.directions.push_back(
          {transposed(first + layout.weight_ih, layout.stride_ih, parameters_.slices()[4 * i]),
           transposed(first + layout.weight_hh, layout.stride_hh, parameters_.slices()[4 * i + 1]),
           d_bias, d_bias});
    }
    return d_inputs;
  }

 private:
  static void copy(const std::vector<double>& from, std::span<float> to) {
    std::ranges::transform(from, to.begin(),
                           [](double value) { return static_cast<float>(value); });
  }
  static std::vector<float> to_vector(std::span<const float> values) {
    return {values.begin(), values.end()};
  }
  static std::vector<float> transposed(const float* data, std::int64_t stride,
                                       const ParameterSlice& slice) {
    std::vector<float> matrix;
    for (std::int64_t gate = 0; gate < slice.shape[0]; ++gate) {
      for (std::int64_t k = 0; k < slice.shape[1]; ++k) matrix.push_back(data[k * stride + gate]);
    }
    return matrix;
  }
  const ParameterSlice& tensor(std::size_t direction, std::size_t kind) const {
    return parameters_.slices()[4 * direction + kind];
  }

  Arena arena_{1};
  std::vector<std::int64_t> lengths_;
  Parameters parameters_;
  onednn::StackWeights weights_;
  std::optional<onednn::LstmStack> lstm_;
  std::optional<onednn::LstmStack::Forward> forward_;
};

}  // namespace quadgate::testing
