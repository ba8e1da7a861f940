#include "engine/onednn/lstm_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/model/dropout.h"

namespace quadgate::onednn {
namespace {

std::size_t floats(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::size_t>(a * b * c);
}

/// A time-major array [T, n, width] whose rows are to be read or written in part.
struct Steps {
  float* data;
  std::int64_t batch;
  std::int64_t width;

  float* at(std::int64_t t, std::int64_t row) const noexcept {
    return data + (t * batch + row) * width;
  }
};

/// Calls body(t, row, mirrored t) for every step of every row; past the row's end, -1 is mirrored.
template <typename Body>
void for_each_mirrored(std::int64_t seq_len, std::span<const std::int64_t> lengths, Body body) {
  for (std::int64_t t = 0; t < seq_len; ++t) {
    for (std::size_t row = 0; row < lengths.size(); ++row) {
      body(t, static_cast<std::int64_t>(row), std::max<std::int64_t>(lengths[row] - 1 - t, -1));
    }
  }
}

/// to[t, row] = from[mirrored t, row] over `count` features from `first_from` and to `first_to`.
void copy_mirrored(std::int64_t seq_len, std::span<const std::int64_t> lengths, const Steps& from,
                   std::int64_t first_from, const Steps& to, std::int64_t first_to,
                   std::int64_t count) {
  for_each_mirrored(seq_len, lengths, [&](std::int64_t t, std::int64_t row, std::int64_t mirrored) {
    float* target = to.at(t, row) + first_to;
    if (mirrored < 0) {
      std::fill_n(target, count, 0.0F);
    } else {
      std::copy_n(from.at(mirrored, row) + first_from, count, target);
    }
  });
}

/// to[s, first_to ...] = from[s, first_from ...] over `count` features, for all steps of all rows.
void copy_columns(std::int64_t steps, const Steps& from, std::int64_t first_from, const Steps& to,
                  std::int64_t first_to, std::int64_t count) {
  for (std::int64_t s = 0; s < steps; ++s) {
    std::copy_n(from.data + s * from.width + first_from, count, to.data + s * to.width + first_to);
  }
}

}  // namespace

StackWeights::StackWeights(const RecurrentConfig& config, const Parameters& parameters,
                           std::int64_t seq_len, std::int64_t batch) {
  const auto tensor = [&](const std::string& name) {
    return parameters.value(parameters.slice(name)).data();
  };
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < config.num_directions(); ++direction) {
      const auto suffix = fmt::format("_l{}{}", layer, direction == 0 ? "" : "_reverse");
      const LstmShape shape{seq_len, batch, config.layer_input_size(layer), config.hidden_size};
      directions_.emplace_back(shape, tensor("rnn.weight_ih" + suffix),
                               tensor("rnn.weight_hh" + suffix), tensor("rnn.bias_ih" + suffix),
                               tensor("rnn.bias_hh" + suffix));
      gradient_offsets_.push_back(gradient_size_);
      gradient_size_ += directions_.back().gradient_layout().size;
    }
  }
}

void StackWeights::pack(Arena& arena) {
  arena.for_each(static_cast<std::int64_t>(2 * directions_.size()), [this](std::int64_t index) {
    auto& direction = directions_[static_cast<std::size_t>(index / 2)];
    index % 2 == 0 ? direction.pack_input() : direction.pack_hidden();
  });
}

LstmStack::LstmStack(const RecurrentConfig& config, const StackWeights& weights,
                     std::int64_t seq_len, std::int64_t batch)
    : config_(config),
      dropout_(config.dropout, kernels::active_isa()),
      seq_len_(seq_len),
      batch_(batch),
      gradient_offsets_(weights.gradient_offsets()),
      input_(floats(seq_len, batch, config.input_size)) {
  const std::int64_t width = config.output_size();
  const std::size_t state_size =
      floats(config.num_layers * config.num_directions(), batch, config.hidden_size);
  for (auto* state : {&h0_, &c0_, &h_n_, &c_n_, &d_h0_, &d_c0_, &d_h_n_, &d_c_n_}) {
    *state = Buffer(state_size);
  }
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    outputs_.emplace_back(floats(seq_len, batch, width));
    if (config.bidirectional) {
      reversed_.emplace_back(floats(seq_len, batch, config.layer_input_size(layer)));
    }
    for (std::int64_t direction = 0; direction < config.num_directions(); ++direction) {
      y_.emplace_back(config.bidirectional || config.dropout > 0
                          ? floats(seq_len, batch, config.hidden_size)
                          : 0);
    }
  }
  const std::int64_t widest = std::max(width, config.input_size);
  for (auto& between : d_between_) {
    between = Buffer(floats(seq_len, batch, widest));
  }
  if (config.bidirectional) {
    dy_ = Buffer(floats(seq_len, batch, config.hidden_size));
    dx_ = Buffer(floats(seq_len, batch, widest));
  }
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < config.num_directions(); ++direction) {
      forwards_.emplace_back();
      directions_.emplace_back(weights.directions()[direction_index(layer, direction)],
                               arrays_of(layer, direction));
    }
  }
}

LstmArrays LstmStack::arrays_of(std::int64_t layer, std::int64_t direction) noexcept {
  const auto l = static_cast<std::size_t>(layer);
  const auto index = direction_index(layer, direction);
  const std::size_t state = index * floats(1, batch_, config_.hidden_size);
  auto& x = direction == 1 ? reversed_[l] : (layer == 0 ? input_ : outputs_[l - 1]);
  return {.x = x.data(),
          .h0 = h0_.data() + state,
          .c0 = c0_.data() + state,
          .y = y_[index].size() == 0 ? outputs_[l].data() : y_[index].data(),
          .h_n = h_n_.data() + state,
          .c_n = c_n_.data() + state,
          .dx = direction == 1 ? dx_.data() : d_between(layer).data(),
          .dh0 = d_h0_.data() + state,
          .dc0 = d_c0_.data() + state,
          .dy = config_.bidirectional ? dy_.data() : d_between(layer + 1).data(),
          .dh_n = d_h_n_.data() + state,
          .dc_n = d_c_n_.data() + state};
}

LstmStack::Forward LstmStack::forward(std::span<const std::int64_t> lengths,
                                      const DropoutMask* dropout) {
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    forward_layer(layer, lengths);
    if (dropout != nullptr && layer + 1 < config_.num_layers) {
      drop(layer, *dropout, outputs_[static_cast<std::size_t>(layer)].data());
    }
  }
  return {lengths, dropout};
}

void LstmStack::forward_layer(std::int64_t layer, std::span<const std::int64_t> lengths) {
  const auto l = static_cast<std::size_t>(layer);
  const std::int64_t hidden_size = config_.hidden_size;
  const std::int64_t steps = seq_len_ * batch_;
  const Steps output{outputs_[l].data(), batch_, config_.output_size()};
  const auto first = direction_index(layer, 0);
  forwards_[first].emplace(directions_[first].forward());
  if (y_[first].size() != 0) {
    copy_columns(steps, {y_[first].data(), batch_, hidden_size}, 0, output, 0, hidden_size);
  }
  if (config_.bidirectional) {
    const std::int64_t width = config_.layer_input_size(layer);
    const Steps input{(layer == 0 ? input_ : outputs_[l - 1]).data(), batch_, width};
    copy_mirrored(seq_len_, lengths, input, 0, {reversed_[l].data(), batch_, width}, 0, width);
    forwards_[first + 1].emplace(directions_[first + 1].forward());
    copy_mirrored(seq_len_, lengths, {y_[first + 1].data(), batch_, hidden_size}, 0, output,
                  hidden_size, hidden_size);
  }
}

void LstmStack::backward(const Forward& forward, float* gradients) {
  const DropoutMask* const dropout = forward.dropout_;
  for (std::int64_t layer = config_.num_layers - 1; layer >= 0; --layer) {
    if (dropout != nullptr && layer + 1 < config_.num_layers) {
      drop(layer, *dropout, d_between(layer + 1).data());
    }
    backward_layer(layer, forward.lengths_, gradients);
  }
}

void LstmStack::backward_layer(std::int64_t layer, std::span<const std::int64_t> lengths,
                               float* gradients) {
  const std::int64_t hidden_size = config_.hidden_size;
  const Steps d_output{d_between(layer + 1).data(), batch_, config_.output_size()};
  const Steps dy{dy_.data(), batch_, hidden_size};
  const auto first = direction_index(layer, 0);
  if (config_.bidirectional) {
    copy_columns(seq_len_ * batch_, d_output, 0, dy, 0, hidden_size);
  }
  directions_[first].backward(*forwards_[first], gradients + gradient_offsets_[first]);
  if (config_.bidirectional) {
    copy_mirrored(seq_len_, lengths, d_output, hidden_size, dy, 0, hidden_size);
    directions_[first + 1].backward(*forwards_[first + 1],
                                    gradients + gradient_offsets_[first + 1]);
    const std::int64_t width = config_.layer_input_size(layer);
    const Steps d_input{d_between(layer).data(), batch_, width};
    const Steps dx{dx_.data(), batch_, width};
    for_each_mirrored(
        seq_len_, lengths, [&](std::int64_t t, std::int64_t row, std::int64_t mirrored) {
          if (mirrored >= 0) {
            float* sum = d_input.at(t, row);
            std::transform(sum, sum + width, dx.at(mirrored, row), sum, std::plus<>());
          }
        });
  }
}

void LstmStack::drop(std::int64_t layer, const DropoutMask& mask, float* values) const {
  const auto width = static_cast<std::size_t>(config_.output_size());
  for (std::int64_t s = 0; s < seq_len_ * batch_; ++s) {
    float* const step = values + static_cast<std::size_t>(s) * width;
    dropout_.features(mask.key, layer, mask.first_row + s % batch_, s / batch_, {step, width},
                      step);
  }
}

}  // namespace quadgate::onednn
