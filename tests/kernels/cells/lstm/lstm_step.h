#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <list>
#include <optional>
#include <vector>

#include "kernels/base/panels.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/matrix/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {

/// [rows, H], with `between` floats between the rows that must stay as they are.
class GuardedStates {
 public:
  GuardedStates(std::int64_t rows, std::int64_t hidden_size, std::int64_t between,
                const std::vector<float>& values)
      : rows_(rows),
        hidden_size_(hidden_size),
        between_(between),
        array_(static_cast<std::size_t>(rows * stride() - between_), [] { return kUntouched; }) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(values.begin() + row * hidden_size, hidden_size, at(row, 0));
    }
  }

  std::int64_t stride() const { return hidden_size_ + between_; }
  float* at(std::int64_t row, std::int64_t unit) { return array_.data() + row * stride() + unit; }

  /// Also looks whether anything else has been written.
  std::vector<float> values() {
    EXPECT_TRUE(array_.before_is_intact());
    std::vector<float> values;
    for (std::int64_t row = 0; row < rows_; ++row) {
      values.insert(values.end(), at(row, 0), at(row, hidden_size_));
      for (std::int64_t i = 0; i < between_ && row + 1 < rows_; ++i) {
        EXPECT_EQ(*at(row, hidden_size_ + i), kUntouched) << "behind row " << row;
      }
    }
    return values;
  }

 private:
  static constexpr float kUntouched = 77;
  std::int64_t rows_;
  std::int64_t hidden_size_;
  std::int64_t between_;
  GuardedArray array_;
};

/// What a step is called with.
struct LstmCall {
  Isa isa = Isa::scalar;
  bool states = true;  ///< before this step
  bool dy = true;
  bool row_by_row = false;
  bool in_pairs = false;  ///< of panels; one row with states, fast panels
};

/// What the kernels write: the gates [rows, 4, H], and [rows, H] or nothing.
struct LstmResult {
  std::vector<float> gates, c, h, dc;

  bool same_bits(const LstmResult& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() &&
             (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
    };
    return same(gates, other.gates) && same(c, other.c) && same(h, other.h) && same(dc, other.dc);
  }
};

/// One step with random values, cut into the panels of a kernel.
class LstmStep {
 public:
  LstmStep(std::int64_t rows, std::int64_t hidden_size) : rows_(rows), hidden_size_(hidden_size) {}

  /// What lstm_forward_kernel, or lstm_forward_pair_kernel, makes of it: gates, c and h.
  LstmResult forward(const LstmCall& call) const {
    const auto kernel = lstm_forward_kernel(call.isa, Arithmetic::floats);
    const auto pair_kernel = lstm_forward_pair_kernel(call.isa);
    const std::int64_t lanes = vector_lanes(call.isa, Arithmetic::floats);
    GuardedStates h_before = states(5, h_prev);
    GuardedStates c_before = states(3, c_prev);
    GuardedStates c = states(3, none);
    GuardedStates h = states(4, none);
    LstmResult result{pre_activations, {}, {}, {}};
    std::list<GuardedArray> panels;
    std::optional<CellForward> waiting;
    for (std::int64_t unit = 0; unit < hidden_size_; unit += lanes) {
      GuardedArray& weights = panels.emplace_back(weight_panel(lanes, unit));
      GuardedArray& gates = panels.emplace_back(gate_panel(result.gates, lanes, unit));
      for_each_cut(call, [&](std::int64_t row, std::int64_t rows) {
        const CellForward step{.rows = rows,
                               .units = std::min(lanes, hidden_size_ - unit),
                               .depth = hidden_size_,
                               .left = call.states ? h_before.at(row, 0) : nullptr,
                               .left_stride = h_before.stride(),
                               .weight_hh = weights.data(),
                               .inputs = gates.data() + row * 4 * lanes,
                               .gates = gates.data() + row * 4 * lanes,
                               .h_prev = nullptr,
                               .h_prev_stride = 0,
                               .c_prev = call.states ? c_before.at(row, unit) : nullptr,
                               .c = c.at(row, unit),
                               .c_stride = c.stride(),
                               .h = h.at(row, unit),
                               .h_stride = h.stride(),
                               .h_pairs = nullptr,
                               .h_pairs_stride = 0};
        if (!call.in_pairs) {
          kernel(step);
        } else if (waiting) {
          pair_kernel(*waiting, step);
          waiting.reset();
        } else {
          waiting = step;
        }
      });
    }
    if (waiting) kernel(*waiting);
    auto panel = panels.begin();
    for (std::int64_t unit = 0; unit < hidden_size_; unit += lanes) {
      take_gates(*++panel, lanes, unit, result.gates);
      ++panel;
    }
    result.c = c.values();
    result.h = h.values();
    EXPECT_EQ(h_before.values(), h_prev);
    EXPECT_EQ(c_before.values(), c_prev);
    return result;
  }

  /// What lstm_backward_kernel makes of the gates and states that `of` has: gates and dc.
  LstmResult backward(const LstmCall& call, const LstmResult& of) const {
    const auto kernel = lstm_backward_kernel(call.isa, Arithmetic::floats);
    const std::int64_t lanes = vector_lanes(call.isa, Arithmetic::floats);
    GuardedStates h_before = states(5, h_prev);
    GuardedStates c_before = states(3, c_prev);
    GuardedStates c = states(3, of.c);
    GuardedStates d_h = states(6, dh);
    GuardedStates d_c = states(6, dc);
    GuardedStates d_y = states(7, dy);
    LstmResult result{of.gates, {}, {}, {}};
    for (std::int64_t unit = 0; unit < hidden_size_; unit += lanes) {
      GuardedArray gates = gate_panel(result.gates, lanes, unit);
      for_each_cut(call, [&](std::int64_t row, std::int64_t rows) {
        kernel({.rows = rows,
                .units = std::min(lanes, hidden_size_ - unit),
                .gates = gates.data() + row * 4 * lanes,
                .h_prev = call.states ? h_before.at(row, unit) : nullptr,
                .h_prev_stride = h_before.stride(),
                .c_prev = call.states ? c_before.at(row, unit) : nullptr,
                .c = c.at(row, unit),
                .c_stride = c.stride(),
                .dh = d_h.at(row, unit),
                .dc = d_c.at(row, unit),
                .d_stride = d_h.stride(),
                .dy = call.dy ? d_y.at(row, unit) : nullptr,
                .dy_stride = d_y.stride()});
      });
      take_gates(gates, lanes, unit, result.gates);
    }
    result.dc = d_c.values();
    EXPECT_EQ(d_h.values(), dh);
    EXPECT_EQ(c.values(), of.c);
    return result;
  }

  /// x W_ih^T + biases + h_prev W_hh^T of a unit.
  std::array<double, 4> summed(bool with_states, std::int64_t row, std::int64_t unit) const {
    std::array<double, 4> sums{};
    for (std::int64_t gate = 0; gate < 4; ++gate) {
      double& sum = sums[static_cast<std::size_t>(gate)];
      sum = pre_activations[gate_at(row, gate, unit)];
      for (std::int64_t k = 0; k < hidden_size_ && with_states; ++k) {
        sum += double{h_prev[at(row, k)]} * weight_hh[at(gate * hidden_size_ + unit, k)];
      }
    }
    return sums;
  }
  std::size_t at(std::int64_t row, std::int64_t unit) const {
    return static_cast<std::size_t>(row * hidden_size_ + unit);
  }
  std::size_t gate_at(std::int64_t row, std::int64_t gate, std::int64_t unit) const {
    return at(4 * row + gate, unit);
  }
  /// Calls body(row, unit) for each.
  template <typename Body>
  void for_each_unit(Body body) const {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t unit = 0; unit < hidden_size_; ++unit) body(row, unit);
    }
  }

 private:
  std::vector<float> random_values(std::int64_t rows, float bound) {
    return random_.values(static_cast<std::size_t>(rows * hidden_size_), bound);
  }
  /// Each field of a step that is a stride gets another one.
  GuardedStates states(std::int64_t between, const std::vector<float>& values) const {
    return {rows_, hidden_size_, between, values};
  }

  template <typename Body>
  void for_each_cut(const LstmCall& call, Body body) const {
    if (!call.row_by_row) return body(std::int64_t{0}, rows_);
    for (std::int64_t row = 0; row < rows_; ++row) body(row, std::int64_t{1});
  }

  /// 0 for the units that do not exist.
  GuardedArray weight_panel(std::int64_t lanes, std::int64_t first) const {
    GuardedArray panel(static_cast<std::size_t>(hidden_size_ * 4 * lanes));
    for (std::int64_t k = 0; k < hidden_size_; ++k) {
      for (std::int64_t gate = 0; gate < 4; ++gate) {
        for (std::int64_t i = 0; i < std::min(lanes, hidden_size_ - first); ++i) {
          panel.data()[(4 * k + gate) * lanes + i] =
              weight_hh[at(gate * hidden_size_ + first + i, k)];
        }
      }
    }
    return panel;
  }
  GuardedArray gate_panel(const std::vector<float>& gates, std::int64_t lanes,
                          std::int64_t first) const {
    GuardedArray panel(static_cast<std::size_t>(rows_ * 4 * lanes));
    for (std::int64_t slot = 0; slot < 4 * rows_; ++slot) {
      std::copy_n(gates.begin() + slot * hidden_size_ + first,
                  std::min(lanes, hidden_size_ - first), panel.data() + slot * lanes);
    }
    return panel;
  }
  void take_gates(GuardedArray& panel, std::int64_t lanes, std::int64_t first,
                  std::vector<float>& gates) const {
    EXPECT_TRUE(panel.before_is_intact());
    for (std::int64_t slot = 0; slot < 4 * rows_; ++slot) {
      std::copy_n(panel.data() + slot * lanes, std::min(lanes, hidden_size_ - first),
                  gates.begin() + slot * hidden_size_ + first);
    }
  }

  testing::Random random_{1};
  std::int64_t rows_, hidden_size_;

 public:  // behind what they are made with
  const std::vector<float> pre_activations = random_values(4 * rows_, 2);
  const std::vector<float> weight_hh =
      random_values(4 * hidden_size_, 1 / std::sqrt(static_cast<float>(hidden_size_)));
  const std::vector<float> h_prev = random_values(rows_, 1);
  const std::vector<float> c_prev = random_values(rows_, 2);
  const std::vector<float> dh = random_values(rows_, 1);
  const std::vector<float> dc = random_values(rows_, 1);
  const std::vector<float> dy = random_values(rows_, 1);
  const std::vector<float> none = random_values(rows_, 1);  // to be overwritten
};

}  // namespace quadgate::kernels
