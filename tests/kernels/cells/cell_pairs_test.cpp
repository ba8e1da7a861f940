// Sweeps all cells in the arithmetic of pairs: their steps are those of the scalar float kernels
// around bf16_product_kernel, with rounded gates. Hidden sizes 1 to 64 around the vectors' lengths
// (one panel), 1 to 13 rows, with and without states before and rounded h, on every ISA, in arrays
// that end where a page does. No tolerance: bits.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/base/panels.h"
#include "kernels/cells/gru/gru.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/cells/rnn/rnn.h"
#include "kernels/matrix/bf16/bf16.h"
#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

using quadgate::testing::bf16_pair;
using quadgate::testing::rounded_to_bf16;

constexpr std::int64_t kLanesOfPair = 16;
constexpr std::int64_t kWidth = kPanelVectors * kLanesOfPair;

struct Cell {
  const char* name;
  CellForwardKernel (*forward)(Isa, Arithmetic) noexcept;
  CellBackwardKernel (*backward)(Isa, Arithmetic) noexcept;
  std::int64_t units;       // of a panel
  std::int64_t first_slot;  // filled by the product, as all after it
  bool has_cell_state;
};

template <RnnActivation kActivation>
CellForwardKernel rnn_forward(Isa isa, Arithmetic kind) noexcept {
  return rnn_forward_kernel(kActivation, isa, kind);
}
template <RnnActivation kActivation>
CellBackwardKernel rnn_backward(Isa isa, Arithmetic kind) noexcept {
  return rnn_backward_kernel(kActivation, isa, kind);
}

constexpr Cell kCells[] = {
    {"lstm", lstm_forward_kernel, lstm_backward_kernel, kLanesOfPair, 0, true},
    {"gru", gru_forward_kernel, gru_backward_kernel, kLanesOfPair, 1, false},
    {"rnn_tanh", rnn_forward<RnnActivation::tanh>, rnn_backward<RnnActivation::tanh>, kWidth, 0,
     false},
    {"rnn_relu", rnn_forward<RnnActivation::relu>, rnn_backward<RnnActivation::relu>, kWidth, 0,
     false}};

/// One step of a panel, forward and backward, with random values.
class WordStep {
 public:
  WordStep(const Cell& cell, std::int64_t rows, std::int64_t units, bool states, bool rounds)
      : cell_(cell),
        rows_(rows),
        units_(units),
        stride_(units + 3),
        states_(states),
        rounds_(rounds) {
    const std::int64_t slots = kWidth / cell.units;
    inputs_ = random(rows * kWidth, [&](std::int64_t i) { return i % cell_.units < units_; });
    left_ = pairs(rows * kDepth);
    weights_ = pairs(kDepth * (slots - cell.first_slot) * cell.units);
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (static_cast<std::int64_t>(i) % cell_.units >= units_) weights_[i] = 0;
    }
    for (auto* values : {&h_prev_, &c_prev_, &dh_, &dc_, &dy_}) {
      *values = random(rows * stride_, [](std::int64_t) { return true; });
    }
  }

  struct Result {
    std::vector<float> gates, h, c, h_pairs, d_gates, dh, dc;  // gates as the pairs they become

    bool operator==(const Result& other) const {
      const auto same = [](const auto& a, const auto& b) {
        return a.size() == b.size() &&
               (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
      };
      return same(gates, other.gates) && same(h, other.h) && same(c, other.c) &&
             same(h_pairs, other.h_pairs) && same(d_gates, other.d_gates) && same(dh, other.dh) &&
             same(dc, other.dc);
    }
  };

  Result run(Isa isa) const {
    Result result = before();
    GuardedArray inputs = guarded(inputs_);
    GuardedArray left = guarded(left_);
    GuardedArray weights = guarded(weights_);
    GuardedArray gates(static_cast<std::size_t>(rows_ * kWidth / 2));
    const std::int64_t pairs_stride = (units_ + 1) / 2 + 1;
    CellForward step = forward_step(result, weights.data(), inputs.data(), gates.data());
    step.depth = kDepth;
    step.left = states_ ? left.data() : nullptr;
    step.left_stride = kDepth;
    step.h_pairs = rounds_ ? result.h_pairs.data() : nullptr;
    step.h_pairs_stride = pairs_stride;
    cell_.forward(isa, Arithmetic::pairs)(step);
    result.gates = taken(gates);
    cell_.backward(isa, Arithmetic::pairs)(backward_step(result, gates.data()));
    result.d_gates = taken(gates);
    EXPECT_TRUE(gates.before_is_intact());
    return result;
  }

  /// The float kernels of single units, which are one float wide, around the product.
  Result expected() const {
    Result result = before();
    std::vector<float> sums = inputs_;
    const std::int64_t first = cell_.first_slot * cell_.units;
    if (states_) {
      bf16_product_kernel(Isa::scalar)(
          rows_, kDepth, {left_.data(), kDepth, 1, kDepth, 0}, weights_.data(),
          {sums.data() + first, kWidth, kWidth - first, Output::Start::add, nullptr});
    }
    std::vector<float> gates(sums.size());
    for_each_narrow_panel([&](std::int64_t unit, std::int64_t count, auto place) {
      std::vector<float> narrow(static_cast<std::size_t>(rows_ * kPanelVectors));
      exchange(narrow, sums, place, true);
      CellForward step = forward_step(result, nullptr, narrow.data(), narrow.data());
      step.units = count;
      step.h_prev = states_ ? h_prev_.data() + unit : nullptr;
      if (cell_.has_cell_state) step.c += unit;
      if (step.c_prev != nullptr) step.c_prev += unit;
      step.h += unit;
      cell_.forward(Isa::scalar, Arithmetic::floats)(step);
      exchange(narrow, gates, place, false);
    });
    for (auto& gate : gates) gate = rounded_to_bf16(gate);
    result.gates = in_pairs(gates);
    if (rounds_) {
      const std::int64_t stride = (units_ + 1) / 2 + 1;
      for (std::int64_t row = 0; row < rows_; ++row) {
        for (std::int64_t i = 0; i < units_; i += 2) {
          const float* const h = result.h.data() + row * stride_ + i;
          result.h_pairs[static_cast<std::size_t>(row * stride + i / 2)] =
              bf16_pair(h[0], i + 1 < units_ ? h[1] : 0.0F);
        }
      }
    }
    for_each_narrow_panel([&](std::int64_t unit, std::int64_t count, auto place) {
      std::vector<float> narrow(static_cast<std::size_t>(rows_ * kPanelVectors));
      exchange(narrow, gates, place, true);
      CellBackward step = backward_step(result, narrow.data());
      step.units = count;
      if (step.h_prev != nullptr) step.h_prev += unit;
      if (cell_.has_cell_state) step.c += unit;
      if (step.c_prev != nullptr) step.c_prev += unit;
      step.dh += unit;
      step.dc += unit;
      step.dy += unit;
      cell_.backward(Isa::scalar, Arithmetic::floats)(step);
      exchange(narrow, gates, place, false);
    });
    result.d_gates = in_pairs(gates);
    return result;
  }

 private:
  static constexpr std::int64_t kDepth = 9;  // pairs

  template <typename Exists>
  std::vector<float> random(std::int64_t size, Exists exists) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < size; ++i) {
      values.push_back(exists(i) ? random_.uniform(-1, 1) : 0.0F);
    }
    return values;
  }
  std::vector<float> pairs(std::int64_t size) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < size; ++i) {
      const float low = random_.uniform(-1, 1);
      values.push_back(bf16_pair(low, random_.uniform(-1, 1)));
    }
    return values;
  }
  static GuardedArray guarded(const std::vector<float>& values) {
    std::size_t next = 0;
    return {values.size(), [&] { return values[next++]; }};
  }
  /// The gates of units that exist, as pairs.
  template <typename Number>
  std::vector<float> in_pairs(Number number) const {
    std::vector<float> pairs;
    for (std::int64_t i = 0; i < rows_ * kWidth; i += 2) {
      const auto existing = [&](std::int64_t k) {
        return k % cell_.units < units_ ? number(static_cast<std::size_t>(k)) : 0.0F;
      };
      pairs.push_back(bf16_pair(existing(i), existing(i + 1)));
    }
    return pairs;
  }
  std::vector<float> taken(const GuardedArray& pairs) const {
    return in_pairs([&](std::size_t i) {
      const auto pair = std::bit_cast<std::uint32_t>(pairs[i / 2]);
      return std::bit_cast<float>(i % 2 == 0 ? pair << 16 : pair & 0xFFFF0000U);
    });
  }
  std::vector<float> in_pairs(const std::vector<float>& gates) const {
    return in_pairs([&](std::size_t i) { return gates[i]; });
  }

  Result before() const {
    Result result;
    result.h = result.c = dy_;
    result.dh = dh_;
    result.dc = dc_;
    result.h_pairs.resize(static_cast<std::size_t>(rows_ * ((units_ + 1) / 2 + 1)), 77);
    return result;
  }
  CellForward forward_step(Result& to, const float* weights, const float* inputs,
                           float* gates) const {
    return {.rows = rows_,
            .units = units_,
            .depth = 0,
            .left = nullptr,
            .left_stride = 0,
            .weight_hh = weights,
            .inputs = inputs,
            .gates = gates,
            .h_prev = states_ ? h_prev_.data() : nullptr,
            .h_prev_stride = stride_,
            .c_prev = states_ && cell_.has_cell_state ? c_prev_.data() : nullptr,
            .c = cell_.has_cell_state ? to.c.data() : nullptr,
            .c_stride = stride_,
            .h = to.h.data(),
            .h_stride = stride_,
            .h_pairs = nullptr,
            .h_pairs_stride = 0};
  }
  CellBackward backward_step(Result& of, float* gates) const {
    return {.rows = rows_,
            .units = units_,
            .gates = gates,
            .h_prev = states_ ? h_prev_.data() : nullptr,
            .h_prev_stride = stride_,
            .c_prev = states_ && cell_.has_cell_state ? c_prev_.data() : nullptr,
            .c = cell_.has_cell_state ? of.c.data() : nullptr,
            .c_stride = stride_,
            .dh = of.dh.data(),
            .dc = of.dc.data(),
            .d_stride = stride_,
            .dy = dy_.data(),
            .dy_stride = stride_};
  }

  /// Calls body(first unit, units, place) for each panel of vectors of one float: float i of a
  /// row of it lies at place(i) of a row of the wide panel.
  template <typename Body>
  void for_each_narrow_panel(Body body) const {
    const std::int64_t narrow = cell_.units / kLanesOfPair;  // units of a narrow panel
    for (std::int64_t unit = 0; unit < units_; unit += narrow) {
      body(unit, std::min(narrow, units_ - unit), [this, unit, narrow](std::int64_t i) {
        return i / narrow * cell_.units + unit + i % narrow;
      });
    }
  }
  template <typename Place>
  void exchange(std::vector<float>& narrow, std::vector<float>& wide, Place place,
                bool to_narrow) const {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t i = 0; i < kPanelVectors; ++i) {
        if (place(i) >= kWidth) continue;
        float& a = narrow[static_cast<std::size_t>(row * kPanelVectors + i)];
        float& b = wide[static_cast<std::size_t>(row * kWidth + place(i))];
        to_narrow ? a = b : b = a;
      }
    }
  }

  testing::Random random_{1};
  const Cell& cell_;
  std::int64_t rows_, units_, stride_;
  bool states_, rounds_;
  std::vector<float> inputs_, left_, weights_, h_prev_, c_prev_, dh_, dc_, dy_;
};

class CellWordsTest : public EachIsa {};

TEST_P(CellWordsTest, HasTheBitsOfFloatsAroundTheProduct) {
  for (const Cell& cell : kCells) {
    for (const std::int64_t units : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64}) {
      if (units > cell.units) continue;
      for (std::int64_t rows = 1; rows <= 13; ++rows) {
        for (const bool states : {false, true}) {
          const WordStep step(cell, rows, units, states, rows % 3 != 0);
          const auto expected = step.expected();
          const auto actual = step.run(GetParam());
          ASSERT_TRUE(actual == expected)
              << cell.name << ", units " << units << ", rows " << rows << ", states " << states;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, CellWordsTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
