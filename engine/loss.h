#pragma once

#include <cstdint>
#include <span>

namespace quadgate {

/// Sums over the items of one or many batches; add them up, then divide.
///
/// An item is what the loss is the mean of: a sequence (classification), a step (tagging) or one
/// of a sequence's O values (regression), as torch.nn.CrossEntropyLoss and MSELoss count them.
struct Metrics {
  std::int64_t items = 0;
  double loss = 0;            ///< sum of cross-entropies in nats, or of squared errors
  double absolute_error = 0;  ///< regression only
  std::int64_t correct = 0;   ///< classification and tagging only

  Metrics& operator+=(const Metrics& other) noexcept;
  double mean_loss() const noexcept { return loss / static_cast<double>(items); }
  double accuracy() const noexcept {
    return static_cast<double>(correct) / static_cast<double>(items);
  }
  double mean_absolute_error() const noexcept {
    return absolute_error / static_cast<double>(items);
  }
};

/// The label of a row that does not count: padding.
inline constexpr std::int64_t kIgnoredLabel = -1;

/// Cross-entropy of `logits` [M, C] with one label in [0, C), or kIgnoredLabel, a row
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html). If `gradient` is
/// not null, it gets (softmax - one_hot) * gradient_scale, [M, C]; 0 in ignored rows. It may be
/// `logits` itself.
Metrics cross_entropy(const float* logits, std::span<const std::int64_t> labels,
                      std::int64_t classes, float gradient_scale, float* gradient) noexcept;

/// Squared error of `outputs` against `targets`, element by element; `gradient`, if not null, gets
/// 2 * (output - target) * gradient_scale. It may be `outputs` itself.
Metrics squared_error(std::span<const float> outputs, std::span<const float> targets,
                      float gradient_scale, float* gradient) noexcept;

}  // namespace quadgate
