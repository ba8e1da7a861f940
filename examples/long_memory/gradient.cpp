#include "gradient.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/training/recurrent.h"

namespace long_memory {
namespace {

using quadgate::Recurrent;
using quadgate::RecurrentStates;

/// A layer that runs one step of N sequences at a time, with the weights of a network.
class OneStep {
 public:
  OneStep(const quadgate::ModelConfig& config, const quadgate::Parameters& parameters,
          const quadgate::Batch& batch, quadgate::Arena& arena)
      : rnn_(config.rnn, {.seq_len = 1, .batch_size = batch.rows()}, arena),
        batch_(batch),
        rows_(static_cast<std::size_t>(batch.rows())),
        features_(static_cast<std::size_t>(config.rnn.input_size)),
        x_(rows_ * features_),
        d_output_(rows_ * static_cast<std::size_t>(config.rnn.hidden_size)) {
    quadgate::ParameterEditor editor = rnn_.parameters().edit();
    for (const auto& slice : rnn_.parameters().slices()) {
      std::ranges::copy(parameters.value(parameters.slice("rnn." + slice.name)),
                        editor.value(slice).begin());
    }
  }

  /// Step `t`, from the states before it.
  Recurrent::Forward forward(std::size_t t, const RecurrentStates& states) {
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t step = static_cast<std::size_t>(batch_.offsets[row]) + t;
      std::copy_n(batch_.x.data() + step * features_, features_, x_.data() + row * features_);
    }
    return rnn_.forward({.x = x_, .seq_len = 1, .batch = batch_.rows(), .states = &states});
  }
  /// The gradient of the states before a step, from that of those after it.
  RecurrentStates backward(Recurrent::Forward step, const RecurrentStates& gradient) {
    return rnn_.backward(std::move(step), d_output_, &gradient).d_states();
  }

 private:
  Recurrent rnn_;
  const quadgate::Batch& batch_;
  std::size_t rows_;
  std::size_t features_;
  std::vector<float> x_;         // [1, N, I]
  std::vector<float> d_output_;  // [1, N, H]: zeros, the answer depends on the last state alone
};

/// Row `row` of an array [N, size].
std::span<float> row_of(std::vector<float>& values, std::size_t row, std::size_t rows) {
  const std::size_t size = values.size() / rows;
  return std::span(values).subspan(row * size, size);
}

double squared_norm(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return sum;
}

void scale(std::span<float> values, double factor) {
  for (float& value : values) value = static_cast<float>(value * factor);
}

/// Of the head's only output: of h its weight, of c zeros.
RecurrentStates gradient_of_answer(const quadgate::ModelConfig& config,
                                   const quadgate::Parameters& parameters, std::int64_t rows) {
  auto gradient = RecurrentStates::zeros(config.rnn, rows);
  const auto weight = parameters.value(parameters.head_weight());
  for (std::size_t i = 0; i < gradient.h.size(); ++i) gradient.h[i] = weight[i % weight.size()];
  return gradient;
}

}  // namespace

GradientReach gradient_reach(const quadgate::ModelConfig& config,
                             const quadgate::Parameters& parameters, const quadgate::Batch& batch,
                             quadgate::Arena& arena) {
  OneStep one_step(config, parameters, batch, arena);
  const auto rows = static_cast<std::size_t>(batch.rows());
  const auto steps = static_cast<std::size_t>(batch.steps()) / rows;
  std::vector<RecurrentStates> before{RecurrentStates::zeros(config.rnn, batch.rows())};
  for (std::size_t t = 0; t + 1 < steps; ++t) {
    before.push_back(one_step.forward(t, before[t]).final_states());
  }

  GradientReach reach;
  auto gradient = gradient_of_answer(config, parameters, batch.rows());
  const double start = std::log10(squared_norm(row_of(gradient.h, 0, rows))) / 2;
  std::vector<double> scaled_by(rows);  // the logarithms of what each row has been divided by
  for (std::size_t k = 1; k <= steps; ++k) {
    gradient = one_step.backward(one_step.forward(steps - k, before[steps - k]), gradient);
    double sum_h = 0;
    double sum_c = 0;
    double sum_state = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const auto h = row_of(gradient.h, row, rows);
      const auto c = row_of(gradient.c, row, rows);
      const double h_squared = squared_norm(h);
      const double c_squared = squared_norm(c);
      const double squared = h_squared + c_squared;
      sum_h += scaled_by[row] + std::log10(h_squared) / 2 - start;
      sum_c += scaled_by[row] + std::log10(c_squared) / 2 - start;
      sum_state += scaled_by[row] + std::log10(squared) / 2 - start;
      scaled_by[row] += std::log10(squared) / 2;
      scale(h, 1 / std::sqrt(squared));
      scale(c, 1 / std::sqrt(squared));
    }
    const auto count = static_cast<double>(rows);
    reach.h.push_back(sum_h / count);
    if (!gradient.c.empty()) reach.c.push_back(sum_c / count);
    reach.state.push_back(sum_state / count);
  }
  return reach;
}

}  // namespace long_memory
