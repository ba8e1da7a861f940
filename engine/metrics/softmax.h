#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace quadgate {

/// What makes probabilities of logits: that of one is e^(logit - largest) / sum.
struct SoftmaxSum {
  double largest = 0;
  double sum = 0;  ///< of e^(logit - largest), at least 1

  explicit SoftmaxSum(std::span<const float> logits)
      : largest(static_cast<double>(*std::ranges::max_element(logits))) {
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  }

  double probability(float logit) const {
    return std::exp(static_cast<double>(logit) - largest) / sum;
  }
  /// The logarithm of the sum of e^logit.
  double log() const { return largest + std::log(sum); }
};

}  // namespace quadgate
