#pragma once

// For the files of one instruction set, like simd/math.h.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/loss/cross_entropy/cross_entropy.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {
namespace {

/// As many rows of at most kMost classes as a vector has lanes, or the last few. A vector holds one
/// class of each row: a lane is a row. It gives the bits of RowBlock.
template <typename Vec>
class FewClasses {
 public:
  static constexpr std::int64_t kMost = 16;

  /// Whether a row of the batch is so short, and in one piece.
  static bool fits(const CrossEntropy& batch) noexcept {
    return batch.classes <= kMost && batch.run >= batch.classes;
  }

  FewClasses(const CrossEntropy& batch, std::int64_t first_row) noexcept
      : batch_(batch),
        first_row_(first_row),
        rows_(batch.rows - first_row < kLanes ? batch.rows - first_row : kLanes),
        classes_(batch.classes) {
    Floats weights = {};
    Floats labels = {};
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int64_t label = counts(row) ? batch.labels[first_row + row] : 0;
      labels[row] = static_cast<float>(label);
      weights[row] = batch.label_weights == nullptr ? 1.0F : batch.label_weights[label];
    }
    label_ = Vec::load(labels);
    weight_ = Vec::load(weights);
  }

  void run() const noexcept {
    Classes logits;
    load(logits);
    const Vec largest = fold(
        logits, -INFINITY, [](Vec a, Vec b) noexcept { return max(b, a); },
        [](std::int64_t, Vec logit) noexcept { return logit; });
    predict(logits, largest);
    const auto add = [](Vec a, Vec b) noexcept { return a + b; };
    Vec of_smoothing = Vec::broadcast(0.0F);
    if (batch_.smoothing != nullptr) {
      of_smoothing = fold(logits, 0.0F, add, [&](std::int64_t at, Vec logit) noexcept {
        return smoothing(at) * (largest - logit);
      });
    }
    const Vec of_label = logit_of_label(logits);
    Classes powers;
    for (std::int64_t at = 0; at < classes_; ++at) powers[at] = exponential(logits[at] - largest);
    const Vec sum = fold(powers, 0.0F, add, [](std::int64_t, Vec power) noexcept { return power; });
    const Vec whole = weight_ + Vec::broadcast(batch_.smoothing_sum);
    const Vec losses = whole * logarithm(sum) + (weight_ * (largest - of_label) + of_smoothing);
    losses.store(batch_.losses + first_row_, Vec::first(rows_));
    if (batch_.gradient != nullptr) to_gradient(powers, scale() * whole / sum);
    for (std::int64_t row = 0; row < rows_; ++row) {
      if (!counts(row)) batch_.losses[first_row_ + row] = 0.0F;
    }
  }

 private:
  static constexpr std::int64_t kLanes = Vec::kLanes;
  using Floats = float[static_cast<std::size_t>(kLanes)];  ///< one a row
  using Block = Vec[static_cast<std::size_t>(kLanes)];
  using Classes = Vec[static_cast<std::size_t>(kMost)];

  bool counts(std::int64_t row) const noexcept {
    return batch_.labels[first_row_ + row] != batch_.ignore_index;
  }
  Vec scale() const noexcept { return Vec::broadcast(batch_.gradient_scale); }
  Vec smoothing(std::int64_t at) const noexcept { return Vec::broadcast(batch_.smoothing[at]); }

  /// Of the classes from `at` on, as many as a vector has lanes: their mask in a row.
  typename Vec::Mask mask_from(std::int64_t at) const noexcept {
    return Vec::first(classes_ - at < kLanes ? classes_ - at : kLanes);
  }

  void load(Classes& logits) const noexcept {
    for (std::int64_t at = 0; at < classes_; at += kLanes) {
      const float* const from = batch_.logits + first_row_ * batch_.row_stride + at;
      Block block;
      for (std::int64_t row = 0; row < kLanes; ++row) {
        block[row] = row < rows_ ? Vec::load(from + row * batch_.row_stride, mask_from(at))
                                 : Vec::broadcast(0.0F);
      }
      transpose(block);
      for (std::int64_t i = 0; i < kLanes; ++i) logits[at + i] = block[i];
    }
  }

  /// What `op` makes of start and map(class, value), folded in halves as if there were kMost.
  template <typename Op, typename Map>
  Vec fold(const Classes& values, float start, Op op, Map map) const noexcept {
    Classes parts;
    for (std::int64_t at = 0; at < kMost; ++at) {
      parts[at] = Vec::broadcast(start);
      if (at < classes_) parts[at] = op(parts[at], map(at, values[at]));
    }
    for (std::int64_t half = kMost / 2; half > 0; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) parts[i] = op(parts[i], parts[i + half]);
    }
    return parts[0];
  }

  /// The first class with the largest logit; the last if none has it.
  void predict(const Classes& logits, Vec largest) const noexcept {
    Vec found = Vec::broadcast(static_cast<float>(classes_ - 1));
    for (std::int64_t at = classes_ - 1; at >= 0; --at) {
      found = select(equal(logits[at], largest), Vec::broadcast(static_cast<float>(at)), found);
    }
    Floats predictions;
    found.store(predictions);
    for (std::int64_t row = 0; row < rows_; ++row) {
      batch_.predictions[first_row_ + row] = static_cast<std::int64_t>(predictions[row]);
    }
  }

  typename Vec::Mask is_label(std::int64_t at) const noexcept {
    return equal(label_, Vec::broadcast(static_cast<float>(at)));
  }

  Vec logit_of_label(const Classes& logits) const noexcept {
    Vec logit = Vec::broadcast(0.0F);
    for (std::int64_t at = 0; at < classes_; ++at) logit = select(is_label(at), logits[at], logit);
    return logit;
  }

  void to_gradient(const Classes& powers, Vec factor) const noexcept {
    const Vec at_label = scale() * weight_;
    for (std::int64_t first = 0; first < classes_; first += kLanes) {
      Block block;
      for (std::int64_t i = 0; i < kLanes; ++i) {
        const std::int64_t at = first + i < classes_ ? first + i : classes_ - 1;
        const Vec smoothed =
            batch_.smoothing == nullptr ? Vec::broadcast(0.0F) : smoothing(at) * scale();
        const Vec target = select(is_label(at), smoothed + at_label, smoothed);
        block[i] = powers[at] * factor - target;
      }
      transpose(block);
      float* const to = batch_.gradient + first_row_ * batch_.row_stride + first;
      for (std::int64_t row = 0; row < rows_; ++row) {
        const Vec gradient = counts(row) ? block[row] : Vec::broadcast(0.0F);
        gradient.store(to + row * batch_.row_stride, mask_from(first));
      }
    }
  }

  const CrossEntropy& batch_;
  std::int64_t first_row_;
  std::int64_t rows_;
  std::int64_t classes_;
  Vec label_, weight_;
};

}  // namespace
}  // namespace quadgate::kernels
