#include "engine/loss.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

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
  Metrics metrics;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto start = static_cast<std::int64_t>(row) * classes;
    const float* first = logits + start;
    const float* last = first + classes;
    float* d_logits = gradient == nullptr ? nullptr : gradient + start;
    const std::int64_t label = labels[row];
    if (label == kIgnoredLabel) {
      if (d_logits != nullptr) {
        std::fill_n(d_logits, classes, 0.0F);
      }
      continue;
    }
    const float* const predicted = std::max_element(first, last);
    const float largest = *predicted;
    float sum = 0;
    for (const float* logit = first; logit != last; ++logit) {
      sum += std::exp(*logit - largest);
    }
    metrics.items += 1;
    metrics.loss += std::log(static_cast<double>(sum)) + largest - first[label];
    metrics.correct += predicted - first == label ? 1 : 0;
    if (d_logits != nullptr) {
      const float scale = gradient_scale / sum;
      std::transform(first, last, d_logits,
                     [&](float logit) { return std::exp(logit - largest) * scale; });
      d_logits[label] -= gradient_scale;
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
