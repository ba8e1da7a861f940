#include "kernels/simd/scalar.h"

#include <algorithm>

#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

// The specification. A vector is one float, so a panel is one hidden unit and its `units` is 1.

void lstm_forward_scalar(const CellForward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const gates = step.gates + 4 * row;
    std::copy_n(step.inputs + 4 * row, 4, gates);
    const std::int64_t depth = step.left == nullptr ? 0 : step.depth;
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t gate = 0; gate < 4; ++gate) {
        gates[gate] = std::fma(step.left[row * step.left_stride + k], step.weight_hh[4 * k + gate],
                               gates[gate]);
      }
    }
    const float c_prev = step.c_prev == nullptr ? 0.0F : step.c_prev[row * step.c_stride];
    const ScalarVec i = sigmoid(ScalarVec{gates[0]});
    const ScalarVec f = sigmoid(ScalarVec{gates[1]});
    const ScalarVec g = tanh(ScalarVec{gates[2]});
    const ScalarVec o = sigmoid(ScalarVec{gates[3]});
    const ScalarVec c = fma(f, ScalarVec{c_prev}, i * g);
    gates[0] = i.lanes;
    gates[1] = f.lanes;
    gates[2] = g.lanes;
    gates[3] = o.lanes;
    step.c[row * step.c_stride] = c.lanes;
    step.h[row * step.h_stride] = (o * tanh(c)).lanes;
  }
}

void lstm_forward_pair_scalar(const CellForward& one, const CellForward& other) noexcept {
  lstm_forward_scalar(one);
  lstm_forward_scalar(other);
}

void lstm_backward_scalar(const CellBackward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const at = step.gates + 4 * row;
    const ScalarVec gates[4] = {{at[0]}, {at[1]}, {at[2]}, {at[3]}};
    const float c_prev = step.c_prev == nullptr ? 0.0F : step.c_prev[row * step.c_stride];
    const float dy = step.dy == nullptr ? 0.0F : step.dy[row * step.dy_stride];
    float& dc = step.dc[row * step.d_stride];
    const LstmCellGradient<ScalarVec> d(gates, {c_prev}, {step.c[row * step.c_stride]},
                                        {step.dh[row * step.d_stride] + dy}, {dc});
    at[0] = d.i.lanes;
    at[1] = d.f.lanes;
    at[2] = d.g.lanes;
    at[3] = d.o.lanes;
    dc = d.c_prev.lanes;
  }
}

void lstm_forward_scalar_16(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<PairGates<ScalarVec16>, 1>>::run(step);
}

void lstm_backward_scalar_16(const CellBackward& step) noexcept {
  lstm_backward_simd<PairGates<ScalarVec16>>(step);
}

}  // namespace quadgate::kernels
