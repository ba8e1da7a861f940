#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/onednn/layer_shape.h"

namespace quadgate::onednn {

/// The arrays of a call, with `steps` of a slice's sequences. x, y and h have the precision of the
/// shape, and the rest is floats.
struct PieceArrays {
  void* x = nullptr;         ///< [steps, rows, I]
  void* h_first = nullptr;   ///< [rows, H], in front of the first step in the layer's direction
  float* c_first = nullptr;  ///< likewise, for an LSTM
  void* y = nullptr;         ///< [steps, rows, H]
  void* h_last = nullptr;    ///< [rows, H], behind the last step
  float* c_last = nullptr;   ///< likewise, for an LSTM
  const float* bias = nullptr;
  const void* weight_ih = nullptr;  ///< packed for the pass
  const void* weight_hh = nullptr;
  float* workspace = nullptr;  ///< from the forward pass to the backward pass
  float* scratchpad = nullptr;
};
/// The derivatives of a backward call. oneDNN adds to those of the weights.
struct PieceDerivatives {
  float* dx = nullptr;
  float* dh_first = nullptr;
  float* dc_first = nullptr;
  float* dy = nullptr;
  float* dh_last = nullptr;
  float* dc_last = nullptr;
  float* weight_ih = nullptr;
  float* weight_hh = nullptr;
  float* bias = nullptr;
};

/// Where oneDNN has the gradient of a weight [gates * H, K] of PyTorch's: the element of unit u of
/// gate_order's gate g and of column k lies at k * stride + g * H + u.
struct GradientLayout {
  std::int64_t stride_ih = 0;
  std::int64_t stride_hh = 0;
};

/// oneDNN's training primitives for a layer's shape: one for all steps, and one for each power of
/// two below, of which any number of steps is made. Make and call them within Arena::for_each.
class Primitives {
 public:
  /// `slots` calls can run at the same time. Throws InvalidArgument if oneDNN has no such
  /// primitives on this CPU.
  Primitives(const LayerShape& shape, std::int64_t slots);
  ~Primitives();

  /// The numbers of steps that there are primitives for, the largest first.
  std::span<const std::int64_t> steps() const noexcept;
  /// Floats of a call's workspace, by the index in `steps`.
  std::size_t workspace_size(std::size_t length) const noexcept;
  /// Floats of the largest scratchpad.
  std::size_t scratchpad_size() const noexcept;
  GradientLayout gradient_layout() const noexcept;

  enum class Weight : std::uint8_t { forward_ih, forward_hh, backward_ih, backward_hh };
  /// Floats of a packed weight.
  std::size_t packed_size(Weight weight) const noexcept;
  /// Whether the packed weight is PyTorch's as it is.
  bool reads_torch(Weight weight) const noexcept;
  /// Packs gate_order's gate `gate` of a weight, which lies at `values` [H, K]. Cores may pack
  /// different gates at the same time.
  void pack(Weight weight, std::int64_t gate, const float* values, float* packed);

  void forward(std::int64_t slot, std::size_t length, const PieceArrays& arrays);
  void backward(std::int64_t slot, std::size_t length, const PieceArrays& arrays,
                const PieceDerivatives& derivatives);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quadgate::onednn
