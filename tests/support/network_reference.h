#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/batch.h"
#include "engine/config.h"
#include "engine/parameters.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::testing {

/// A whole model in double over one batch, without dropout: LSTM, head, mean loss, and backwards.
struct NetworkReference {
  std::vector<double> outputs;    ///< as Network::predict gives them
  double loss = 0;                ///< the mean over the items
  std::vector<double> gradients;  ///< of the mean loss, laid out as the flat parameters
};

namespace detail {

/// One output of the head: where it takes its D features from, and to which of the outputs it goes.
struct HeadRow {
  std::vector<std::size_t> features;  // indices into the LSTM's output [T, N, D]
  std::size_t output = 0;
};

inline std::vector<HeadRow> head_rows(const ModelConfig& config, const Batch& batch) {
  const std::int64_t h_size = config.rnn.h_size();
  const std::int64_t width = config.rnn.output_size();
  const auto at = [&](std::int64_t t, std::int64_t row, std::int64_t unit) {
    return static_cast<std::size_t>((t * batch.rows() + row) * width + unit);
  };
  std::vector<HeadRow> rows;
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto offset = batch.offsets.begin() + row;
    const std::int64_t length = offset[1] - offset[0];
    const bool tagging = config.task == Task::tagging;
    for (std::int64_t step = 0; step < (tagging ? length : 1); ++step) {
      HeadRow head;
      head.output = static_cast<std::size_t>(tagging ? offset[0] + step : row);
      for (std::int64_t unit = 0; unit < width; ++unit) {
        const std::int64_t end = unit < h_size ? length - 1 : 0;  // of its direction
        head.features.push_back(at(tagging ? step : end, row, unit));
      }
      rows.push_back(std::move(head));
    }
  }
  return rows;
}

/// The loss of one item or row of items, and its gradient in place of `outputs`.
inline double loss_of_row(const ModelConfig& config, const Batch& batch, std::size_t row,
                          std::vector<double>& outputs) {
  double loss = 0;
  if (config.task == Task::regression) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double difference = outputs[i] - batch.targets[row * outputs.size() + i];
      loss += difference * difference;
      outputs[i] = 2 * difference;
    }
    return loss;
  }
  const auto label = static_cast<std::size_t>(batch.labels[row]);
  const double logit = outputs[label];
  double sum = 0;
  for (const double output : outputs) sum += std::exp(output);
  for (double& output : outputs) output = std::exp(output) / sum;
  outputs[label] -= 1;
  return std::log(sum) - logit;
}

inline std::vector<double> to_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// The LSTM's weights, and the batch padded to [T, N, I] with zero initial states.
inline LstmInputs<double> lstm_inputs(const ModelConfig& config, const Parameters& parameters,
                                      const Batch& batch, std::int64_t seq_len) {
  const auto rows = static_cast<std::size_t>(batch.rows());
  const auto width = static_cast<std::size_t>(config.rnn.input_size);
  LstmInputs<double> inputs;
  inputs.x.resize(static_cast<std::size_t>(seq_len) * rows * width);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto first = static_cast<std::size_t>(batch.offsets[row]);
    const auto last = static_cast<std::size_t>(batch.offsets[row + 1]);
    for (std::size_t step = first; step < last; ++step) {
      std::copy_n(&batch.x[step * width], width, &inputs.x[((step - first) * rows + row) * width]);
    }
  }
  const auto slices = parameters.slices();
  const std::size_t tensors = config.rnn.proj_size > 0 ? 5 : 4;  // of a direction
  const std::size_t directions = (slices.size() - 2) / tensors;
  for (std::size_t i = 0; i < directions; ++i) {
    const auto tensor = [&](std::size_t kind) {
      return to_double(parameters.value(slices[tensors * i + kind]));
    };
    inputs.directions.push_back({tensor(0), tensor(1), tensor(2), tensor(3),
                                 tensors > 4 ? tensor(4) : std::vector<double>()});
  }
  inputs.h0.resize(directions * rows * static_cast<std::size_t>(config.rnn.h_size()));
  inputs.c0.resize(directions * rows * static_cast<std::size_t>(config.rnn.hidden_size));
  return inputs;
}

/// Runs the head and the loss on `features`, the LSTM's output; fills all of `result` but the
/// gradients of the LSTM's weights, and returns the gradient of `features`.
inline std::vector<double> run_head(const ModelConfig& config, const Parameters& parameters,
                                    const Batch& batch, const std::vector<double>& features,
                                    NetworkReference& result) {
  const auto heads = head_rows(config, batch);
  const auto weight = to_double(parameters.value(parameters.head_weight()));
  const auto bias = to_double(parameters.value(parameters.head_bias()));
  const auto width = static_cast<std::size_t>(config.rnn.output_size());
  const double items = static_cast<double>(heads.size()) *
                       static_cast<double>(config.task == Task::regression ? bias.size() : 1);
  double* d_weight = &result.gradients[parameters.head_weight().offset];
  double* d_bias = &result.gradients[parameters.head_bias().offset];
  std::vector<double> d_features(features.size());
  result.outputs.resize(heads.size() * bias.size());
  for (const auto& head : heads) {
    std::vector<double> outputs = bias;
    for (std::size_t o = 0; o < bias.size(); ++o) {
      for (std::size_t i = 0; i < width; ++i) {
        outputs[o] += weight[o * width + i] * features[head.features[i]];
      }
      result.outputs[head.output * bias.size() + o] = outputs[o];
    }
    result.loss += loss_of_row(config, batch, head.output, outputs) / items;
    for (std::size_t o = 0; o < bias.size(); ++o) {
      const double d_output = outputs[o] / items;
      d_bias[o] += d_output;
      for (std::size_t i = 0; i < width; ++i) {
        d_weight[o * width + i] += d_output * features[head.features[i]];
        d_features[head.features[i]] += d_output * weight[o * width + i];
      }
    }
  }
  return d_features;
}

}  // namespace detail

/// Runs the reference with the weights of `parameters`.
inline NetworkReference network_reference(const ModelConfig& config, const Parameters& parameters,
                                          const Batch& batch) {
  std::vector<std::int64_t> lengths;
  for (std::size_t row = 0; std::cmp_less(row, batch.rows()); ++row) {
    lengths.push_back(batch.offsets[row + 1] - batch.offsets[row]);
  }
  const std::int64_t seq_len = *std::ranges::max_element(lengths);
  const auto inputs = detail::lstm_inputs(config, parameters, batch, seq_len);
  const LstmReference<double> lstm(config.rnn, seq_len, lengths, inputs);

  NetworkReference result;
  result.gradients.resize(parameters.values().size());
  auto d_output = detail::run_head(config, parameters, batch, lstm.outputs().output, result);
  auto d_inputs = lstm.backward({std::move(d_output), std::vector<double>(inputs.h0.size()),
                                 std::vector<double>(inputs.c0.size())});
  const auto tensors = d_inputs.tensors();  // x, h0, c0, then the weights in PyTorch's order
  for (std::size_t i = 3; i < tensors.size(); ++i) {
    std::ranges::copy(*tensors[i].second, &result.gradients[parameters.slices()[i - 3].offset]);
  }
  return result;
}

}  // namespace quadgate::testing
