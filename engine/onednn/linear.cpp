#include "engine/onednn/linear.h"

#include <algorithm>
#include <functional>

#include "engine/onednn/matmul.h"

namespace quadgate::onednn {

void Linear::forward(const float* x, const float* weight, const float* bias, float* y) const {
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(bias, out_features, y + row * out_features);
  }
  matmul(rows, out_features, in_features, {.data = x, .stride = in_features},
         {.data = weight, .stride = in_features, .transposed = true}, 1.0F, y);
}

void Linear::backward(const float* x, const float* weight, const float* dy, float* dx,
                      float* d_weight, float* d_bias) const {
  matmul(rows, in_features, out_features, {.data = dy, .stride = out_features},
         {.data = weight, .stride = in_features}, 0.0F, dx);
  matmul(out_features, in_features, rows, {.data = dy, .stride = out_features, .transposed = true},
         {.data = x, .stride = in_features}, 0.0F, d_weight);
  std::fill_n(d_bias, out_features, 0.0F);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::transform(d_bias, d_bias + out_features, dy + row * out_features, d_bias, std::plus<>());
  }
}

}  // namespace quadgate::onednn
