#pragma once

#include <cstdint>

namespace quadgate::onednn {

/// A linear layer y = x W^T + b (torch.nn.Linear) over a fixed number of rows M. Call it within
/// Arena::for_each.
struct Linear {
  std::int64_t rows = 0;          ///< M
  std::int64_t in_features = 0;   ///< D
  std::int64_t out_features = 0;  ///< O

  /// Computes y [M, O] from x [M, D], weight [O, D] and bias [O].
  void forward(const float* x, const float* weight, const float* bias, float* y) const;

  /// Computes dx [M, D], d_weight [O, D] and d_bias [O] from dy [M, O].
  void backward(const float* x, const float* weight, const float* dy, float* dx, float* d_weight,
                float* d_bias) const;
};

}  // namespace quadgate::onednn
