// Sweeps the GRU and the RNN cell with tanh and relu: hidden sizes 1 to 100 around the vectors'
// lengths, 1 to 13 rows, with and without h_prev and dy, for every ISA, in arrays that end where a
// page does. Tolerance: 5e-6 of the largest element against the formulas in double: sums of up to
// 100 products round to some 10 epsilon. To the bit between the ISAs.

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/base/panels.h"
#include "kernels/cells/cell.h"
#include "kernels/cells/gru/gru.h"
#include "kernels/cells/rnn/rnn.h"
#include "kernels/matrix/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/cell_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

using quadgate::testing::GruUnit;
using quadgate::testing::relative_error;
using quadgate::testing::RnnUnit;
using quadgate::testing::UnitInputs;

/// How a cell lies in its panels: what fills its slots, and the vectors in one of them.
struct Layout {
  struct Slots {
    std::size_t first;
    std::vector<std::size_t> gates;  // PyTorch's
  };
  std::size_t gates;
  std::size_t vectors;
  Slots ih, hh;
};

struct Gru {
  static Layout layout() { return {3, 1, {0, {2, 0, 1}}, {1, {0, 1, 2}}}; }
  static CellForwardKernel forward(Isa isa) { return gru_forward_kernel(isa, Arithmetic::floats); }
  static CellBackwardKernel backward(Isa isa) {
    return gru_backward_kernel(isa, Arithmetic::floats);
  }
  static GruUnit<double> unit(const UnitInputs<double>& in) { return GruUnit<double>(in); }
  /// What the backward kernel leaves in dh.
  static double dh_left(const UnitInputs<double>& d, double) { return d.h_prev; }
};

template <RnnActivation kActivation>
struct Rnn {
  static Layout layout() { return {1, 4, {0, {0}}, {0, {0}}}; }
  static CellForwardKernel forward(Isa isa) {
    return rnn_forward_kernel(kActivation, isa, Arithmetic::floats);
  }
  static CellBackwardKernel backward(Isa isa) {
    return rnn_backward_kernel(kActivation, isa, Arithmetic::floats);
  }
  static RnnUnit<double> unit(const UnitInputs<double>& in) {
    return {in, kActivation == RnnActivation::relu};
  }
  static double dh_left(const UnitInputs<double>&, double dh) { return dh; }
};

/// One step of all units of a cell, forward and backward: random inputs, run by a version of the
/// kernels or by the formulas.
template <typename Cell>
class CellStep {
 public:
  CellStep(std::size_t rows, std::size_t hidden_size, bool has_h_prev, bool has_dy)
      : rows_(rows),
        hidden_size_(hidden_size),
        stride_(hidden_size + 3),
        has_h_prev_(has_h_prev),
        has_dy_(has_dy) {
    quadgate::testing::Random random(static_cast<std::uint32_t>(100 * hidden_size + rows));
    const std::size_t gates = layout_.gates;
    const float bound = 2.0F / std::sqrt(static_cast<float>(hidden_size));
    weight_hh_ = random.values(gates * hidden_size * hidden_size, bound);
    ih_ = random.values(rows * gates * hidden_size, 2);
    bias_hh_ = random.values(gates * hidden_size);
    for (auto* values : {&h_prev_, &dh_, &dy_}) *values = random.values(rows * hidden_size);
  }

  /// h [rows, H], what is left in dh [rows, H], and the derivatives [rows, gates, H].
  template <typename T>
  struct Result {
    std::vector<T> h, dh, d_ih, d_hh;
  };

  Result<float> run(Isa isa) const {
    const auto lanes = static_cast<std::size_t>(vector_lanes(isa, Arithmetic::floats));
    const std::size_t width = 4 * lanes;
    const std::size_t units = layout_.vectors * lanes;
    GuardedArray h_prev = strided(h_prev_);
    GuardedArray h(h_prev);
    GuardedArray dh = strided(dh_);
    GuardedArray dy = strided(dy_);
    Result<float> result;
    result.d_ih.resize(ih_.size());
    result.d_hh.resize(ih_.size());
    for (std::size_t first = 0; first < hidden_size_; first += units) {
      const std::size_t exist = std::min(units, hidden_size_ - first);
      GuardedArray gates = pack_gates(first, exist, units, width);
      GuardedArray weight = pack_weight(first, exist, units);
      const auto as = [](std::size_t size) { return static_cast<std::int64_t>(size); };
      Cell::forward(isa)({.rows = as(rows_),
                          .units = as(exist),
                          .depth = as(hidden_size_),
                          .left = has_h_prev_ ? h_prev.data() : nullptr,
                          .left_stride = as(stride_),
                          .weight_hh = weight.data(),
                          .inputs = gates.data(),
                          .gates = gates.data(),
                          .h_prev = has_h_prev_ ? h_prev.data() + first : nullptr,
                          .h_prev_stride = as(stride_),
                          .c_prev = nullptr,
                          .c = nullptr,
                          .c_stride = 0,
                          .h = h.data() + first,
                          .h_stride = as(stride_),
                          .h_pairs = nullptr,
                          .h_pairs_stride = 0});
      Cell::backward(isa)({.rows = as(rows_),
                           .units = as(exist),
                           .gates = gates.data(),
                           .h_prev = has_h_prev_ ? h_prev.data() + first : nullptr,
                           .h_prev_stride = as(stride_),
                           .c_prev = nullptr,
                           .c = nullptr,
                           .c_stride = 0,
                           .dh = dh.data() + first,
                           .dc = nullptr,
                           .d_stride = as(stride_),
                           .dy = has_dy_ ? dy.data() + first : nullptr,
                           .dy_stride = as(stride_)});
      unpack(gates, layout_.ih, first, exist, units, result.d_ih);
      unpack(gates, layout_.hh, first, exist, units, result.d_hh);
      EXPECT_TRUE(has_no_derivatives(gates, rows_ * width, exist, units));
      EXPECT_TRUE(gates.before_is_intact());
    }
    result.h = unstrided(h, h_prev);
    result.dh = unstrided(dh, strided(dh_));
    return result;
  }

  Result<double> reference() const {
    Result<double> result;
    result.d_ih.resize(ih_.size());
    result.d_hh.resize(ih_.size());
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t j = 0; j < hidden_size_; ++j) {
        UnitInputs<double> in;
        for (std::size_t gate = 0; gate < layout_.gates; ++gate) {
          in.ih[gate] = ih_[at(row, gate, j)];
          in.hh[gate] = bias_hh_[gate * hidden_size_ + j];
          for (std::size_t k = 0; has_h_prev_ && k < hidden_size_; ++k) {
            in.hh[gate] += static_cast<double>(h_prev_[row * hidden_size_ + k]) *
                           weight_hh_[(gate * hidden_size_ + j) * hidden_size_ + k];
          }
        }
        const std::size_t state = row * hidden_size_ + j;
        if (has_h_prev_) in.h_prev = h_prev_[state];
        const auto unit = Cell::unit(in);
        result.h.push_back(unit.states().h);
        const double dh = static_cast<double>(dh_[state]) + (has_dy_ ? dy_[state] : 0.0F);
        const auto d = unit.backward({dh, 0});
        result.dh.push_back(Cell::dh_left(d, dh_[state]));
        for (std::size_t gate = 0; gate < layout_.gates; ++gate) {
          result.d_ih[at(row, gate, j)] = d.ih[gate];
          result.d_hh[at(row, gate, j)] = d.hh[gate];
        }
      }
    }
    return result;
  }

 private:
  std::size_t at(std::size_t row, std::size_t gate, std::size_t unit) const {
    return (row * layout_.gates + gate) * hidden_size_ + unit;
  }

  /// Rows `stride_` apart, zeros between them.
  GuardedArray strided(const std::vector<float>& values) const {
    GuardedArray array((rows_ - 1) * stride_ + hidden_size_);
    for (std::size_t row = 0; row < rows_; ++row) {
      std::copy_n(&values[row * hidden_size_], hidden_size_, array.data() + row * stride_);
    }
    return array;
  }
  /// The rows; between them and before them has to be what `before` has there.
  std::vector<float> unstrided(const GuardedArray& array, const GuardedArray& before) const {
    std::vector<float> values;
    for (std::size_t i = 0; i < (rows_ - 1) * stride_ + hidden_size_; ++i) {
      if (i % stride_ < hidden_size_) {
        values.push_back(array[i]);
      } else {
        EXPECT_EQ(array[i], before[i]) << "between rows";
      }
    }
    EXPECT_TRUE(array.before_is_intact());
    return values;
  }

  GuardedArray pack_gates(std::size_t first, std::size_t exist, std::size_t units,
                          std::size_t width) const {
    GuardedArray gates(rows_ * width);
    for (std::size_t i = 0; i < rows_ * width; ++i) {  // as zero weights of an infinite feature
      if (i % units >= exist) gates.data()[i] = std::numeric_limits<float>::quiet_NaN();
    }
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t i = 0; i < exist; ++i) {
        float* const to = gates.data() + row * width + i;
        for (std::size_t slot = 0; slot < layout_.ih.gates.size(); ++slot) {
          to[(layout_.ih.first + slot) * units] += ih_[at(row, layout_.ih.gates[slot], first + i)];
        }
        for (std::size_t slot = 0; slot < layout_.hh.gates.size(); ++slot) {
          to[(layout_.hh.first + slot) * units] +=
              bias_hh_[layout_.hh.gates[slot] * hidden_size_ + first + i];
        }
      }
    }
    return gates;
  }

  GuardedArray pack_weight(std::size_t first, std::size_t exist, std::size_t units) const {
    const std::size_t slots = layout_.hh.gates.size();
    GuardedArray weight(hidden_size_ * slots * units);
    for (std::size_t k = 0; k < hidden_size_; ++k) {
      for (std::size_t slot = 0; slot < slots; ++slot) {
        const std::size_t row = layout_.hh.gates[slot] * hidden_size_ + first;
        for (std::size_t i = 0; i < exist; ++i) {
          weight.data()[(k * slots + slot) * units + i] = weight_hh_[(row + i) * hidden_size_ + k];
        }
      }
    }
    return weight;
  }

  /// Those of units that do not exist.
  static bool has_no_derivatives(const GuardedArray& gates, std::size_t size, std::size_t exist,
                                 std::size_t units) {
    for (std::size_t i = 0; i < size; ++i) {
      if (i % units >= exist && gates[i] != 0) return false;
    }
    return true;
  }

  void unpack(const GuardedArray& gates, const Layout::Slots& slots, std::size_t first,
              std::size_t exist, std::size_t units, std::vector<float>& to) const {
    const std::size_t width = 4 / layout_.vectors * units;
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t slot = 0; slot < slots.gates.size(); ++slot) {
        for (std::size_t i = 0; i < exist; ++i) {
          to[at(row, slots.gates[slot], first + i)] =
              gates[row * width + (slots.first + slot) * units + i];
        }
      }
    }
  }

  Layout layout_ = Cell::layout();
  std::size_t rows_, hidden_size_, stride_;
  bool has_h_prev_, has_dy_;
  std::vector<float> weight_hh_, ih_, bias_hh_, h_prev_, dh_, dy_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <typename Cell>
void expect_the_formulas(Isa isa) {
  constexpr double kTolerance = 5e-6;
  for (const std::size_t hidden_size : {1U, 3U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 33U, 64U, 100U}) {
    for (std::size_t rows = 1; rows <= 13; ++rows) {
      const bool has_h_prev = rows % 4 != 3;
      SCOPED_TRACE(::testing::Message() << "hidden_size " << hidden_size << ", rows " << rows);
      const CellStep<Cell> step(rows, hidden_size, has_h_prev, rows % 3 != 2);
      const auto actual = step.run(isa);
      const auto expected = step.reference();
      EXPECT_LE(relative_error(actual.h, expected.h), kTolerance);
      EXPECT_LE(relative_error(actual.dh, expected.dh), kTolerance);
      EXPECT_LE(relative_error(actual.d_ih, expected.d_ih), kTolerance);
      EXPECT_LE(relative_error(actual.d_hh, expected.d_hh), kTolerance);
      const auto scalar = step.run(Isa::scalar);
      EXPECT_TRUE(same_bits(actual.h, scalar.h));
      EXPECT_TRUE(same_bits(actual.dh, scalar.dh));
      EXPECT_TRUE(same_bits(actual.d_ih, scalar.d_ih));
      EXPECT_TRUE(same_bits(actual.d_hh, scalar.d_hh));
    }
  }
}

class CellsTest : public EachIsa {};
INSTANTIATE_TEST_SUITE_P(Isas, CellsTest, all_isas(), isa_name);

TEST_P(CellsTest, GruHasTheFormulas) { expect_the_formulas<Gru>(GetParam()); }

TEST_P(CellsTest, RnnWithTanhHasTheFormulas) {
  expect_the_formulas<Rnn<RnnActivation::tanh>>(GetParam());
}

TEST_P(CellsTest, RnnWithReluHasTheFormulas) {
  expect_the_formulas<Rnn<RnnActivation::relu>>(GetParam());
}

}  // namespace
}  // namespace quadgate::kernels
