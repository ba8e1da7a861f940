#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/config.h"
#include "tests/support/cell_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::testing {

/// The tensors of one direction of one layer, row-major as in PyTorch: [G H, I], [G H, P], [G H],
/// [G H] and, with proj_size, [P, H]. G is the number of gates; P is H without proj_size.
template <typename T>
struct DirectionTensors {
  std::vector<T> weight_ih, weight_hh, bias_ih, bias_hh;
  std::vector<T> weight_hr = {};
};

/// All that an LSTM reads, or the gradients of a loss with respect to it.
template <typename T>
struct LstmInputs {
  std::vector<T> x;       ///< [T, N, I]
  std::vector<T> h0, c0;  ///< [num_layers * num_directions, N, P] and [.., N, H]
  std::vector<DirectionTensors<T>> directions;

  /// Every tensor with its name, in a fixed order.
  std::vector<std::pair<std::string, std::vector<T>*>> tensors() {
    std::vector<std::pair<std::string, std::vector<T>*>> all{{"x", &x}, {"h0", &h0}, {"c0", &c0}};
    for (std::size_t i = 0; i < directions.size(); ++i) {
      const std::string suffix = " of direction " + std::to_string(i);
      all.emplace_back("weight_ih" + suffix, &directions[i].weight_ih);
      all.emplace_back("weight_hh" + suffix, &directions[i].weight_hh);
      all.emplace_back("bias_ih" + suffix, &directions[i].bias_ih);
      all.emplace_back("bias_hh" + suffix, &directions[i].bias_hh);
      auto& weight_hr = directions[i].weight_hr;
      if (!weight_hr.empty()) all.emplace_back("weight_hr" + suffix, &weight_hr);
    }
    return all;
  }
};

/// All that an LSTM gives, or the gradients of a loss with respect to it.
template <typename T>
struct LstmOutputs {
  std::vector<T> output;    ///< [T, N, num_directions * H], 0 in the padding
  std::vector<T> h_n, c_n;  ///< [num_layers * num_directions, N, H], at each row's true end
};

/// Calls use(unit) with the unit of `cell` for these inputs.
template <typename T, typename Use>
auto with_unit(Cell cell, const UnitInputs<T>& inputs, Use use) {
  if (cell == Cell::lstm) return use(LstmUnit<T>(inputs));
  if (cell == Cell::gru) return use(GruUnit<T>(inputs));
  return use(RnnUnit<T>(inputs, cell == Cell::rnn_relu));
}

/// PyTorch's multi-layer LSTM, GRU or RNN on rows of different lengths. It computes row by row and
/// unit by unit, by the formulas of PyTorch's documentation (cell_reference.h). A cell without c
/// leaves zeros there. T is double, or std::complex<double> for the complex-step derivative.
template <typename T>
class LstmReference {
 public:
  /// Runs forward. Dropout multiplies the input of layer l with factors[l], and the output with the
  /// last factors, each [T, N, width]. Without factors nothing is dropped.
  LstmReference(const RecurrentConfig& config, std::int64_t seq_len,
                std::vector<std::int64_t> lengths, LstmInputs<T> inputs,
                std::vector<std::vector<T>> factors = {})
      : config_(config),
        num_gates_(static_cast<std::size_t>(num_gates(config.cell))),
        seq_len_(seq_len),
        batch_(static_cast<std::int64_t>(lengths.size())),
        lengths_(std::move(lengths)),
        inputs_(std::move(inputs)),
        factors_(std::move(factors)) {
    outputs_.h_n.resize(inputs_.h0.size());
    outputs_.c_n.resize(inputs_.c0.size());
    layers_.push_back(inputs_.x);
    for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
      layers_.emplace_back(floats(config.output_size()));
      for_each_direction(layer, [&](const Place& place) {
        ih_.emplace_back(floats(num_gates(config_.cell) * config_.hidden_size));
        hh_.emplace_back(ih_.back().size());
        cells_.emplace_back(floats(config_.hidden_size));
        for (std::int64_t row = 0; row < batch_; ++row) forward_row(place, row);
      });
    }
    outputs_.output = layers_.back();
    drop(static_cast<std::size_t>(config.num_layers), outputs_.output);
  }

  const LstmOutputs<T>& outputs() const { return outputs_; }

  /// Backpropagation through time: the gradients of the inputs, from those of the outputs.
  LstmInputs<T> backward(const LstmOutputs<T>& d_outputs) const {
    LstmInputs<T> d_inputs = inputs_;
    for (auto& [name, tensor] : d_inputs.tensors()) tensor->assign(tensor->size(), T(0));
    std::vector<T> d_output = d_outputs.output;
    for (std::int64_t layer = config_.num_layers - 1; layer >= 0; --layer) {
      drop(static_cast<std::size_t>(layer + 1), d_output);
      std::vector<T> d_x(floats(config_.layer_input_size(layer)));
      for_each_direction(layer, [&](const Place& place) {
        for (std::int64_t row = 0; row < batch_; ++row) {
          backward_row(place, row, d_outputs, d_output, d_x, d_inputs);
        }
      });
      d_output = std::move(d_x);
    }
    drop(0, d_output);
    d_inputs.x = std::move(d_output);
    return d_inputs;
  }

 private:
  using Vector = std::vector<T>;

  /// One direction of one layer.
  struct Place {
    std::size_t layer, index;
    std::int64_t direction, width;
  };

  void drop(std::size_t layer, Vector& values) const {
    for (std::size_t i = 0; !factors_.empty() && i < values.size(); ++i) {
      values[i] *= factors_[layer][i];
    }
  }
  /// The input of the layer at a step of a row.
  Vector input(const Place& place, std::int64_t t, std::int64_t row) const {
    const std::size_t first = at(t, row, place.width);
    const auto width = static_cast<std::size_t>(place.width);
    Vector x(&layers_[place.layer][first], &layers_[place.layer][first] + width);
    for (std::size_t j = 0; !factors_.empty() && j < width; ++j) {
      x[j] *= factors_[place.layer][first + j];
    }
    return x;
  }

  std::size_t floats(std::int64_t width) const {
    return static_cast<std::size_t>(seq_len_ * batch_ * width);
  }
  /// Where features of step t of a row start in [T, N, width].
  std::size_t at(std::int64_t t, std::int64_t row, std::int64_t width) const {
    return static_cast<std::size_t>((t * batch_ + row) * width);
  }
  std::size_t h_at(const Place& place, std::int64_t row) const {
    return at(static_cast<std::int64_t>(place.index), row, config_.h_size());
  }
  std::size_t c_at(const Place& place, std::int64_t row) const {
    return at(static_cast<std::int64_t>(place.index), row, config_.hidden_size);
  }
  /// The k-th step in the direction's order, 0 <= k < length.
  std::int64_t step(const Place& place, std::int64_t row, std::int64_t k) const {
    return place.direction == 0 ? k : lengths_[static_cast<std::size_t>(row)] - 1 - k;
  }
  template <typename Body>
  void for_each_direction(std::int64_t layer, Body body) const {
    for (std::int64_t direction = 0; direction < config_.num_directions(); ++direction) {
      body(Place{static_cast<std::size_t>(layer),
                 static_cast<std::size_t>(layer * config_.num_directions() + direction), direction,
                 config_.layer_input_size(layer)});
    }
  }

  /// The h of the direction at step t, in the output of its layer.
  T* hidden(const Place& place, std::int64_t t, std::int64_t row) {
    return &layers_[place.layer + 1][at(t, row, config_.output_size())] +
           place.direction * config_.h_size();
  }
  const T* previous_hidden(const Place& place, std::int64_t row, std::int64_t k) const {
    return k == 0 ? &inputs_.h0[h_at(place, row)]
                  : &layers_[place.layer + 1]
                            [at(step(place, row, k - 1), row, config_.output_size())] +
                        place.direction * config_.h_size();
  }
  const T* previous_cell(const Place& place, std::int64_t row, std::int64_t k) const {
    return k == 0 ? &inputs_.c0[c_at(place, row)]
                  : &cells_[place.index][at(step(place, row, k - 1), row, config_.hidden_size)];
  }

  T* gates(std::vector<Vector>& parts, const Place& place, std::int64_t t, std::int64_t row) {
    return &parts[place.index][at(t, row, num_gates(config_.cell) * config_.hidden_size)];
  }
  UnitInputs<T> unit_inputs(const Place& place, std::int64_t row, std::int64_t k,
                            std::size_t unit) const {
    const std::int64_t t = step(place, row, k);
    const std::size_t first = at(t, row, num_gates(config_.cell) * config_.hidden_size) + unit;
    UnitInputs<T> inputs;
    for (std::size_t gate = 0; gate < num_gates_; ++gate) {
      const std::size_t i = first + gate * static_cast<std::size_t>(config_.hidden_size);
      inputs.ih[gate] = ih_[place.index][i];
      inputs.hh[gate] = hh_[place.index][i];
    }
    if (config_.proj_size == 0) inputs.h_prev = previous_hidden(place, row, k)[unit];
    inputs.c_prev = previous_cell(place, row, k)[unit];
    return inputs;
  }

  UnitStates<T> unit_states(const Place& place, std::int64_t row, std::int64_t k,
                            std::size_t unit) const {
    return with_unit(config_.cell, unit_inputs(place, row, k, unit),
                     [](const auto& one) { return one.states(); });
  }

  void forward_row(const Place& place, std::int64_t row) {
    const auto hidden_size = static_cast<std::size_t>(config_.hidden_size);
    const auto h_size = static_cast<std::size_t>(config_.h_size());
    const auto width = static_cast<std::size_t>(place.width);
    const auto& w = inputs_.directions[place.index];
    const std::int64_t length = lengths_[static_cast<std::size_t>(row)];
    T* h_n = &outputs_.h_n[h_at(place, row)];
    T* c_n = &outputs_.c_n[c_at(place, row)];
    std::copy_n(previous_hidden(place, row, 0), h_size, h_n);
    std::copy_n(previous_cell(place, row, 0), hidden_size, c_n);
    for (std::int64_t k = 0; k < length; ++k) {
      const std::int64_t t = step(place, row, k);
      const Vector x = input(place, t, row);
      const T* h_before = previous_hidden(place, row, k);
      T* ih = gates(ih_, place, t, row);
      T* hh = gates(hh_, place, t, row);
      for (std::size_t gate = 0; gate < num_gates_ * hidden_size; ++gate) {
        ih[gate] = w.bias_ih[gate];
        for (std::size_t j = 0; j < width; ++j) ih[gate] += w.weight_ih[gate * width + j] * x[j];
        hh[gate] = w.bias_hh[gate];
        for (std::size_t j = 0; j < h_size; ++j) {
          hh[gate] += w.weight_hh[gate * h_size + j] * h_before[j];
        }
      }
      T* c = &cells_[place.index][at(t, row, config_.hidden_size)];
      T* h = hidden(place, t, row);
      Vector m(hidden_size);  // o tanh(c), or what the cell has in its place
      for (std::size_t j = 0; j < hidden_size; ++j) {
        const auto states = unit_states(place, row, k, j);
        m[j] = states.h;
        c[j] = states.c;
      }
      if (config_.proj_size == 0) std::copy(m.begin(), m.end(), h);
      for (std::size_t i = 0; config_.proj_size > 0 && i < h_size; ++i) {
        h[i] = T(0);
        for (std::size_t j = 0; j < hidden_size; ++j)
          h[i] += w.weight_hr[i * hidden_size + j] * m[j];
      }
      std::copy_n(h, h_size, h_n);
      std::copy_n(c, hidden_size, c_n);
    }
  }

  void backward_row(const Place& place, std::int64_t row, const LstmOutputs<T>& d_outputs,
                    const Vector& d_output, Vector& d_x, LstmInputs<T>& d_inputs) const {
    const auto hidden_size = static_cast<std::size_t>(config_.hidden_size);
    const auto h_size = static_cast<std::size_t>(config_.h_size());
    const auto width = static_cast<std::size_t>(place.width);
    const auto& w = inputs_.directions[place.index];
    auto& dw = d_inputs.directions[place.index];
    const T* d_h_n = &d_outputs.h_n[h_at(place, row)];
    const T* d_c_n = &d_outputs.c_n[c_at(place, row)];
    Vector dh(d_h_n, d_h_n + h_size);
    Vector dc(d_c_n, d_c_n + hidden_size);
    Vector d_ih(num_gates_ * hidden_size);
    Vector d_hh(num_gates_ * hidden_size);
    for (std::int64_t k = lengths_[static_cast<std::size_t>(row)] - 1; k >= 0; --k) {
      const std::int64_t t = step(place, row, k);
      const Vector x = input(place, t, row);
      const T* h_before = previous_hidden(place, row, k);
      const T* dy =
          &d_output[at(t, row, config_.output_size())] + place.direction * config_.h_size();
      for (std::size_t i = 0; i < h_size; ++i) dh[i] += dy[i];
      Vector dm = dh;
      if (config_.proj_size > 0) {
        dm.assign(hidden_size, T(0));
        for (std::size_t j = 0; j < hidden_size; ++j) {
          const T m = unit_states(place, row, k, j).h;
          for (std::size_t i = 0; i < h_size; ++i) {
            dw.weight_hr[i * hidden_size + j] += dh[i] * m;
            dm[j] += dh[i] * w.weight_hr[i * hidden_size + j];
          }
        }
        dh.assign(h_size, T(0));
      }
      for (std::size_t j = 0; j < hidden_size; ++j) {
        const UnitStates<T> d_states{dm[j], dc[j]};
        const auto d = with_unit(config_.cell, unit_inputs(place, row, k, j),
                                 [&](const auto& unit) { return unit.backward(d_states); });
        for (std::size_t gate = 0; gate < num_gates_; ++gate) {
          d_ih[gate * hidden_size + j] = d.ih[gate];
          d_hh[gate * hidden_size + j] = d.hh[gate];
        }
        if (config_.proj_size == 0) dh[j] = d.h_prev;
        dc[j] = d.c_prev;
      }
      T* dx = &d_x[at(t, row, place.width)];
      for (std::size_t gate = 0; gate < num_gates_ * hidden_size; ++gate) {
        for (std::size_t j = 0; j < width; ++j) {
          dw.weight_ih[gate * width + j] += d_ih[gate] * x[j];
          dx[j] += d_ih[gate] * w.weight_ih[gate * width + j];
        }
        for (std::size_t j = 0; j < h_size; ++j) {
          dw.weight_hh[gate * h_size + j] += d_hh[gate] * h_before[j];
          dh[j] += d_hh[gate] * w.weight_hh[gate * h_size + j];
        }
        dw.bias_ih[gate] += d_ih[gate];
        dw.bias_hh[gate] += d_hh[gate];
      }
    }
    std::copy_n(dh.data(), h_size, &d_inputs.h0[h_at(place, row)]);
    std::copy_n(dc.data(), hidden_size, &d_inputs.c0[c_at(place, row)]);
  }

  RecurrentConfig config_;
  std::size_t num_gates_;
  std::int64_t seq_len_, batch_;
  std::vector<std::int64_t> lengths_;
  LstmInputs<T> inputs_;
  std::vector<Vector> factors_;
  LstmOutputs<T> outputs_;
  std::vector<Vector> layers_;   // [l]: the input of layer l; the last is the output
  std::vector<Vector> ih_, hh_;  // each direction's parts of the gates, [T, N, gates * H]
  std::vector<Vector> cells_;    // each direction's c, [T, N, H]
};

extern template class LstmReference<double>;

/// Draws all inputs, as values that a float holds exactly. Weights are as large as PyTorch's, so
/// that gates are neither linear nor saturated.
inline LstmInputs<double> random_lstm_inputs(const RecurrentConfig& config, std::int64_t seq_len,
                                             std::int64_t batch, Random& random) {
  const auto size = [](std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); };
  const float bound = 1.0F / std::sqrt(static_cast<float>(config.hidden_size));
  const std::int64_t gates = num_gates(config.cell) * config.hidden_size;
  const std::int64_t directions = config.num_layers * config.num_directions();
  LstmInputs<double> inputs;
  inputs.x = random.values<double>(size(seq_len * batch, config.input_size));
  inputs.h0 = random.values<double>(size(directions * batch, config.h_size()));
  inputs.c0 = random.values<double>(size(directions * batch, config.hidden_size));
  for (std::int64_t i = 0; i < directions; ++i) {
    const std::int64_t width = config.layer_input_size(i / config.num_directions());
    inputs.directions.push_back(
        {random.values<double>(size(gates, width), bound),
         random.values<double>(size(gates, config.h_size()), bound),
         random.values<double>(size(gates, 1), bound), random.values<double>(size(gates, 1), bound),
         random.values<double>(size(config.proj_size, config.hidden_size), bound)});
  }
  return inputs;
}

/// Draws gradients of the outputs. They are 0 in the padding, and for h_n and c_n unless
/// `of_states`.
inline LstmOutputs<double> random_lstm_gradients(const RecurrentConfig& config,
                                                 std::int64_t seq_len,
                                                 const std::vector<std::int64_t>& lengths,
                                                 bool of_states, Random& random) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const auto width = static_cast<std::size_t>(config.output_size());
  const auto rows = static_cast<std::size_t>(config.num_layers * config.num_directions() * batch);
  const std::size_t h_n = rows * static_cast<std::size_t>(config.h_size());
  const std::size_t c_n = rows * static_cast<std::size_t>(config.hidden_size);
  LstmOutputs<double> gradients;
  gradients.output = random.values<double>(static_cast<std::size_t>(seq_len * batch) * width);
  for (std::int64_t t = 0; t < seq_len; ++t) {
    for (std::size_t row = 0; row < lengths.size(); ++row) {
      if (t < lengths[row]) continue;
      const std::size_t step = static_cast<std::size_t>(t) * lengths.size() + row;
      std::fill_n(&gradients.output[step * width], width, 0.0);
    }
  }
  gradients.h_n = of_states ? random.values<double>(h_n) : std::vector<double>(h_n);
  gradients.c_n = of_states ? random.values<double>(c_n) : std::vector<double>(c_n);
  return gradients;
}

}  // namespace quadgate::testing
