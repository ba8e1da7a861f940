#include "engine/loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/isa.h"

namespace quadgate {

Metrics& Metrics::operator+=(const Metrics& other) noexcept {
  items += other.items;
  loss += other.loss;
  absolute_error += other.absolute_error;
  correct += other.correct;
  return *this;
}

Metrics cross_entropy(const float* logits, std::span<const std::int64_t> labels,
                      std::int64_t classes, float gradient_scale, float* gradient) noexcept {
  const auto kernel = kernels::cross_entropy_kernel(kernels::active_isa());
  constexpr std::ptrdiff_t kPiece = 64;
  std::array<float, kPiece> losses{};
  std::array<std::int64_t, kPiece> predictions{};
  Metrics metrics;
  for (auto first = labels.begin(); first != labels.end();) {
    const std::int64_t start = (first - labels.begin()) * classes;
    float* const d_logits = gradient == nullptr ? nullptr : gradient + start;
    if (*first == kIgnoredLabel) {
      if (d_logits != nullptr) std::fill_n(d_logits, classes, 0.0F);
      ++first;
      continue;
    }
    const auto last =
        std::find(first, first + std::min(kPiece, labels.end() - first), kIgnoredLabel);
    kernel({.rows = last - first,
            .classes = classes,
            .logits = logits + start,
            .labels = &*first,
            .gradient_scale = gradient_scale,
            .gradient = d_logits,
            .losses = losses.data(),
            .predictions = predictions.data()});
    metrics.items += last - first;
    for (std::size_t row = 0; first != last; ++row, ++first) {
      metrics.loss += losses[row];
      metrics.correct += predictions[row] == *first ? 1 : 0;
    }
  }
  return metrics;
}

Metrics squared_error(std::span<const float> outputs, std::span<const float> targets,
                      float gradient_scale, float* gradient) noexcept {
  Metrics metrics;
  metrics.items = static_cast<std::int64_t>(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const float difference = outputs[i] - targets[i];
    metrics.loss += static_cast<double>(difference) * difference;
    metrics.absolute_error += std::abs(difference);
    if (gradient != nullptr) {
      gradient[i] = 2 * difference * gradient_scale;
    }
  }
  return metrics;
}

}  // namespace quadgate
