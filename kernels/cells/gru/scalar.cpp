#include "kernels/simd/scalar.h"

#include <algorithm>

#include "kernels/cells/gru/impl.h"

namespace quadgate::kernels {

// The specification. A vector is one float, so a panel is one hidden unit and its `units` is 1.

void gru_forward_scalar(const CellForward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const gates = step.gates + 4 * row;
    std::copy_n(step.inputs + 4 * row, 4, gates);
    const std::int64_t depth = step.left == nullptr ? 0 : step.depth;
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t gate = 0; gate < 3; ++gate) {
        gates[gate + 1] = std::fma(step.left[row * step.left_stride + k],
                                   step.weight_hh[3 * k + gate], gates[gate + 1]);
      }
    }
    const float h_prev = step.h_prev == nullptr ? 0.0F : step.h_prev[row * step.h_prev_stride];
    const ScalarVec r = sigmoid(ScalarVec{gates[1]});
    const ScalarVec z = sigmoid(ScalarVec{gates[2]});
    const ScalarVec n = tanh(fma(r, ScalarVec{gates[3]}, ScalarVec{gates[0]}));
    gates[0] = n.lanes;
    gates[1] = r.lanes;
    gates[2] = z.lanes;
    step.h[row * step.h_stride] = fma(z, ScalarVec{h_prev} - n, n).lanes;
  }
}

void gru_backward_scalar(const CellBackward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const at = step.gates + 4 * row;
    const ScalarVec gates[4] = {{at[0]}, {at[1]}, {at[2]}, {at[3]}};
    const float h_prev = step.h_prev == nullptr ? 0.0F : step.h_prev[row * step.h_prev_stride];
    float dh = step.dh[row * step.d_stride];
    if (step.dy != nullptr) dh += step.dy[row * step.dy_stride];
    const GruCellGradient<ScalarVec> d(gates, {h_prev}, {dh});
    at[0] = d.n.lanes;
    at[1] = d.r.lanes;
    at[2] = d.z.lanes;
    at[3] = d.hidden_n.lanes;
    step.dh[row * step.d_stride] = d.h_prev.lanes;
  }
}

void gru_forward_scalar_16(const CellForward& step) noexcept {
  CellTiles<GruForwardStep<PairGates<ScalarVec16>, 1>>::run(step);
}

void gru_backward_scalar_16(const CellBackward& step) noexcept {
  gru_backward_simd<PairGates<ScalarVec16>>(step);
}

}  // namespace quadgate::kernels
