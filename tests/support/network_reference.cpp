#include "tests/support/network_reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/conv_reference.h"
#include "tests/support/loss_reference.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::testing {

template class LstmReference<double>;

namespace {

/// One row of the head: for each of its D features the elements of the LSTM's output [T, N, D] and
/// their factors, and the place of its outputs.
struct HeadRow {
  std::vector<std::vector<std::pair<std::size_t, double>>> features;
  std::size_t output = 0;

  double value(std::size_t feature, const std::vector<double>& from) const {
    double sum = 0;
    for (const auto& [index, factor] : features[feature]) sum += factor * from[index];
    return sum;
  }
};

/// The steps, elements of `from`, that make a feature of a sequence.
std::vector<std::pair<std::size_t, double>> pool(Pooling pooling, bool reverse,
                                                 const std::vector<std::size_t>& steps,
                                                 const std::vector<double>& from) {
  std::vector<std::pair<std::size_t, double>> parts;
  switch (pooling) {
    case Pooling::last:
      parts.emplace_back(reverse ? steps.front() : steps.back(), 1);
      break;
    case Pooling::mean:
      for (const auto step : steps)
        parts.emplace_back(step, 1.0 / static_cast<double>(steps.size()));
      break;
    case Pooling::max:
      parts.emplace_back(
          *std::ranges::max_element(steps, {}, [&](auto step) { return from[step]; }), 1);
      break;
  }
  return parts;
}

std::vector<HeadRow> head_rows(const ModelConfig& config, const Batch& batch,
                               const std::vector<double>& from) {
  const std::int64_t width = config.rnn.output_size();
  const bool tagging = config.task == Task::tagging;
  std::vector<HeadRow> rows;
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto offset = batch.offsets.begin() + row;
    const std::int64_t length = offset[1] - offset[0];
    for (std::int64_t head = 0; head < (tagging ? length : 1); ++head) {
      HeadRow made;
      made.output = static_cast<std::size_t>(tagging ? offset[0] + head : row);
      for (std::int64_t unit = 0; unit < width; ++unit) {
        std::vector<std::size_t> steps;
        for (std::int64_t t = tagging ? head : 0; t < (tagging ? head + 1 : length); ++t) {
          steps.push_back(static_cast<std::size_t>((t * batch.rows() + row) * width + unit));
        }
        made.features.push_back(pool(config.pooling, unit >= config.rnn.h_size(), steps, from));
      }
      rows.push_back(std::move(made));
    }
  }
  return rows;
}

std::vector<double> to_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// Calls body(element of features as the batch has them, element padded to [T, N, I]).
template <typename Body>
void for_each_feature(const std::vector<std::int64_t>& offsets, std::int64_t input_size,
                      Body body) {
  const std::size_t rows = offsets.size() - 1;
  const auto width = static_cast<std::size_t>(input_size);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto first = static_cast<std::size_t>(offsets[row]);
    const auto last = static_cast<std::size_t>(offsets[row + 1]);
    for (std::size_t step = first; step < last; ++step) {
      for (std::size_t i = 0; i < width; ++i) {
        body(step * width + i, ((step - first) * rows + row) * width + i);
      }
    }
  }
}

/// The tensors of the recurrent stack. They follow those of embedding and convolution.
std::span<const ParameterSlice> recurrent_slices(const ModelConfig& config,
                                                 const Parameters& parameters) {
  const std::size_t front = (config.has_embedding() ? 1U : 0U) +
                            (config.normalization.is_affine() ? 2U : 0U) + (config.conv ? 2U : 0U);
  return parameters.slices().subspan(front, parameters.slices().size() - front - 2);
}

/// The LSTM's weights, and the features padded to [T, N, I] with zero initial states.
LstmInputs<double> lstm_inputs(const ModelConfig& config, const Parameters& parameters,
                               const FrontReference& front, std::int64_t seq_len) {
  const std::size_t rows = front.offsets().size() - 1;
  LstmInputs<double> inputs;
  inputs.x.resize(static_cast<std::size_t>(seq_len * config.rnn.input_size) * rows);
  for_each_feature(front.offsets(), config.rnn.input_size, [&](std::size_t from, std::size_t to) {
    inputs.x[to] = front.features()[from];
  });
  const auto slices = recurrent_slices(config, parameters);
  const std::size_t tensors = config.rnn.proj_size > 0 ? 5 : 4;  // of a direction
  const std::size_t directions = slices.size() / tensors;
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

/// Runs the head and the loss on `features`, the LSTM's output. Fills all of `result` but the
/// gradients of the LSTM's weights. Returns the gradient of `features`.
std::vector<double> run_head(const ModelConfig& config, const Parameters& parameters,
                             const Batch& batch, const NormalizationReference& normalization,
                             const std::vector<double>& features, NetworkReference& result) {
  const auto heads = head_rows(config, batch, features);
  const auto weight = to_double(parameters.value(parameters.head_weight()));
  const auto bias = to_double(parameters.value(parameters.head_bias()));
  const auto width = static_cast<std::size_t>(config.rnn.output_size());
  double whole = 0;
  for (const auto& head : heads) whole += reference_weight(config, batch, head.output);
  double* d_weight = &result.gradients[parameters.head_weight().offset];
  double* d_bias = &result.gradients[parameters.head_bias().offset];
  std::vector<double> d_features(features.size());
  result.outputs.resize(heads.size() * bias.size());
  for (const auto& head : heads) {
    std::vector<double> outputs = bias;
    for (std::size_t o = 0; o < bias.size(); ++o) {
      for (std::size_t i = 0; i < width; ++i) {
        outputs[o] += weight[o * width + i] * head.value(i, features);
      }
    }
    const std::vector<double> of_head = outputs;
    if (config.normalization.is_on()) outputs = normalization.restored(of_head, head.output);
    for (std::size_t o = 0; o < bias.size(); ++o) {
      result.outputs[head.output * bias.size() + o] = outputs[o];
    }
    result.loss += reference_loss(config, batch, head.output, outputs) / whole;
    for (double& d_output : outputs) d_output /= whole;
    if (config.normalization.is_on()) {
      normalization.backward_outputs(of_head, head.output, outputs, result.gradients);
    }
    for (std::size_t o = 0; o < bias.size(); ++o) {
      const double d_output = outputs[o];
      d_bias[o] += d_output;
      for (std::size_t i = 0; i < width; ++i) {
        d_weight[o * width + i] += d_output * head.value(i, features);
        for (const auto& [index, factor] : head.features[i]) {
          d_features[index] += factor * d_output * weight[o * width + i];
        }
      }
    }
  }
  return d_features;
}

NetworkReference computed(const ModelConfig& config, const Parameters& parameters,
                          const Batch& batch) {
  const FrontReference front(config, parameters, batch);
  Batch of_stack = batch;
  of_stack.offsets = front.offsets();
  std::vector<std::int64_t> lengths;
  for (std::size_t row = 0; std::cmp_less(row, batch.rows()); ++row) {
    lengths.push_back(of_stack.offsets[row + 1] - of_stack.offsets[row]);
  }
  const std::int64_t seq_len = *std::ranges::max_element(lengths);
  const auto inputs = lstm_inputs(config, parameters, front, seq_len);
  const LstmReference<double> lstm(config.rnn, seq_len, lengths, inputs);

  NetworkReference result;
  result.gradients.resize(parameters.values().size());
  const NormalizationReference normalization(config, parameters, batch);
  auto d_output =
      run_head(config, parameters, of_stack, normalization, lstm.outputs().output, result);
  auto d_inputs = lstm.backward({std::move(d_output), std::vector<double>(inputs.h0.size()),
                                 std::vector<double>(inputs.c0.size())});
  const auto tensors = d_inputs.tensors();  // x, h0, c0, then the weights in PyTorch's order
  const auto slices = recurrent_slices(config, parameters);
  for (std::size_t i = 3; i < tensors.size(); ++i) {
    std::ranges::copy(*tensors[i].second, &result.gradients[slices[i - 3].offset]);
  }
  std::vector<double> d_features(front.features().size());
  for_each_feature(front.offsets(), config.rnn.input_size, [&](std::size_t to, std::size_t from) {
    d_features[to] = (*tensors[0].second)[from];
  });
  front.backward(d_features, result.gradients);
  return result;
}

/// A question to network_reference, and its answer.
struct Answered {
  ModelConfig config;
  std::vector<float> weights;
  Batch batch;
  NetworkReference reference;

  bool is_of(const ModelConfig& other, std::span<const float> values, const Batch& asked) const {
    const auto fields = [](const Batch& of) {
      return std::tie(of.x, of.tokens, of.offsets, of.labels, of.targets, of.whole_rows);
    };
    return config == other && std::ranges::equal(weights, values) && fields(batch) == fields(asked);
  }
};

}  // namespace

NetworkReference network_reference(const ModelConfig& config, const Parameters& parameters,
                                   const Batch& batch) {
  constexpr std::size_t kKept = 64;
  static std::deque<Answered> answers;  // tests ask the same for each instruction set and team
  const auto values = parameters.values();
  const auto known = std::ranges::find_if(
      answers, [&](const Answered& answer) { return answer.is_of(config, values, batch); });
  if (known != answers.end()) return known->reference;
  if (answers.size() == kKept) answers.pop_front();
  answers.push_back(
      {config, {values.begin(), values.end()}, batch, computed(config, parameters, batch)});
  return answers.back().reference;
}

}  // namespace quadgate::testing
