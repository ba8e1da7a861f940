#include "kernels/simd/scalar.h"

#include <algorithm>

#include "kernels/base/panels.h"
#include "kernels/cells/rnn/impl.h"

namespace quadgate::kernels {
namespace {

// The specification. A vector is one float, so a panel is four hidden units.

template <RnnActivation kActivation>
void forward(const CellForward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const gates = step.gates + kPanelVectors * row;
    std::copy_n(step.inputs + kPanelVectors * row, kPanelVectors, gates);
    const std::int64_t depth = step.left == nullptr ? 0 : step.depth;
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t unit = 0; unit < kPanelVectors; ++unit) {
        gates[unit] = std::fma(step.left[row * step.left_stride + k],
                               step.weight_hh[kPanelVectors * k + unit], gates[unit]);
      }
    }
    for (std::int64_t unit = 0; unit < kPanelVectors; ++unit) {
      gates[unit] = RnnCell<ScalarVec, kActivation>::h({gates[unit]}).lanes;
      if (unit < step.units) step.h[row * step.h_stride + unit] = gates[unit];
    }
  }
}

template <RnnActivation kActivation>
void backward(const CellBackward& step) noexcept {
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const gates = step.gates + kPanelVectors * row;
    for (std::int64_t unit = 0; unit < kPanelVectors; ++unit) {
      float dh = unit < step.units ? step.dh[row * step.d_stride + unit] : 0.0F;
      if (step.dy != nullptr && unit < step.units) dh += step.dy[row * step.dy_stride + unit];
      const float h = unit < step.units ? gates[unit] : 0.0F;
      gates[unit] = RnnCell<ScalarVec, kActivation>::gradient({h}, {dh}).lanes;
    }
  }
}

}  // namespace

void rnn_tanh_forward_scalar(const CellForward& step) noexcept {
  forward<RnnActivation::tanh>(step);
}
void rnn_relu_forward_scalar(const CellForward& step) noexcept {
  forward<RnnActivation::relu>(step);
}
void rnn_tanh_backward_scalar(const CellBackward& step) noexcept {
  backward<RnnActivation::tanh>(step);
}
void rnn_relu_backward_scalar(const CellBackward& step) noexcept {
  backward<RnnActivation::relu>(step);
}

void rnn_tanh_forward_scalar_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<ScalarVec16>, RnnActivation::tanh, 1>>::run(step);
}
void rnn_tanh_backward_scalar_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<ScalarVec16>, RnnActivation::tanh>(step);
}

void rnn_relu_forward_scalar_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<ScalarVec16>, RnnActivation::relu, 1>>::run(step);
}
void rnn_relu_backward_scalar_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<ScalarVec16>, RnnActivation::relu>(step);
}

}  // namespace quadgate::kernels
