#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void cross_entropy_scalar(const CrossEntropy& batch) noexcept;
void cross_entropy_avx2(const CrossEntropy& batch) noexcept;
void cross_entropy_avx512(const CrossEntropy& batch) noexcept;

namespace {

/// Sums and maxima run over this many classes side by side, whatever the vectors hold, and are
/// folded in halves: so they are the same from every ISA.
constexpr std::int64_t kSideBySide = 16;

template <typename Fold>
float fold(float* values, Fold fold_two) noexcept {
  for (std::int64_t half = kSideBySide / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) values[i] = fold_two(values[i], values[i + half]);
  }
  return values[0];
}

/// The classes of one row in vectors; beyond the last there is `filler`.
template <typename Vec>
class ClassRow {
 public:
  ClassRow(float* logits, std::int64_t classes) noexcept : logits_(logits), classes_(classes) {}

  float largest() const noexcept {
    float values[kSideBySide];
    const auto body = [](Vec a, Vec b) noexcept { return max(b, a); };
    reduce(
        -INFINITY, body, [](Vec logit) noexcept { return logit; }, values);
    return fold(values, [](float a, float b) noexcept { return b > a ? b : a; });
  }

  /// The sum of e^(logit - largest).
  float sum(float largest) const noexcept {
    float values[kSideBySide];
    const auto body = [](Vec a, Vec b) noexcept { return a + b; };
    const Vec shift = Vec::broadcast(largest);
    reduce(
        0.0F, body, [shift](Vec logit) noexcept { return exponential(logit - shift); }, values);
    return fold(values, [](float a, float b) noexcept { return a + b; });
  }

  /// Replaces each logit by e^(logit - largest) * factor.
  void to_gradient(float largest, float factor) const noexcept {
    const Vec shift = Vec::broadcast(largest);
    const Vec scale = Vec::broadcast(factor);
    for (std::int64_t first = 0; first < classes_; first += Vec::kLanes) {
      const auto mask = Vec::first(rest(first));
      const Vec value = exponential(Vec::load(logits_ + first, mask) - shift) * scale;
      value.store(logits_ + first, mask);
    }
  }

  std::int64_t find(float value) const noexcept {
    std::int64_t found = 0;
    while (found + 1 < classes_ && logits_[found] != value) ++found;
    return found;
  }

 private:
  std::int64_t rest(std::int64_t first) const noexcept {
    return classes_ - first < Vec::kLanes ? classes_ - first : Vec::kLanes;
  }

  /// values[i] = body over the classes i, i + kSideBySide, ..., in their order, from `start`.
  template <typename Body, typename Map>
  void reduce(float start, Body body, Map map, float* values) const noexcept {
    for (std::int64_t offset = 0; offset < kSideBySide; offset += Vec::kLanes) {
      Vec total = Vec::broadcast(start);
      for (std::int64_t first = offset; first < classes_; first += kSideBySide) {
        const auto mask = Vec::first(rest(first));
        const Vec mapped = map(Vec::load(logits_ + first, mask));
        total = select(mask, body(total, mapped), total);
      }
      total.store(values + offset);
    }
  }

  float* logits_;
  std::int64_t classes_;
};

/// cross_entropy_scalar with vectors.
template <typename Vec>
void cross_entropy_simd(const CrossEntropy& batch) noexcept {
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    float* const logits = batch.logits + i * batch.classes;
    const ClassRow<Vec> row(logits, batch.classes);
    const std::int64_t label = batch.labels[i];
    const float largest = row.largest();
    const float sum = row.sum(largest);
    batch.losses[i] = ::logf(sum) + (largest - logits[label]);
    batch.predictions[i] = row.find(largest);
    if (batch.gradient_scale != 0.0F) {
      row.to_gradient(largest, batch.gradient_scale / sum);
      logits[label] -= batch.gradient_scale;
    }
  }
}

}  // namespace
}  // namespace quadgate::kernels
