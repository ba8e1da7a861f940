#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/loss/cross_entropy/cross_entropy.h"
#include "kernels/loss/cross_entropy/few_classes.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void cross_entropy_scalar(const CrossEntropy& batch) noexcept;
void cross_entropy_avx2(const CrossEntropy& batch) noexcept;
void cross_entropy_avx512(const CrossEntropy& batch) noexcept;

namespace {

/// As many rows as a vector has lanes, or, unless it is whole, the last few. A vector holds one
/// number of each row, its largest logit, its sum or its loss. A lane is a row.
template <typename Vec, bool kIsWhole>
class RowBlock {
 public:
  RowBlock(const CrossEntropy& batch, std::int64_t first_row) noexcept
      : classes_(batch.classes),
        rows_(batch.rows - first_row < kLanes ? batch.rows - first_row : kLanes),
        row_stride_(batch.row_stride),
        run_(batch.run),
        run_stride_(batch.run_stride),
        logits_(batch.logits + first_row * row_stride_),
        gradient_(batch.gradient == nullptr ? nullptr : batch.gradient + first_row * row_stride_),
        labels_(batch.labels + first_row),
        losses_(batch.losses + first_row),
        predictions_(batch.predictions + first_row),
        ignore_index_(batch.ignore_index),
        label_weights_(batch.label_weights),
        smoothing_(batch.smoothing),
        smoothing_sum_(batch.smoothing_sum),
        gradient_scale_(batch.gradient_scale) {}

  void run() const noexcept {
    Floats of_label = {};
    Floats label_weight = {};
    Offsets labels;
    for (std::int64_t row = 0; row < rows(); ++row) {
      labels[row] = offset_of_label(row);
      of_label[row] = logits_[labels[row]];
      label_weight[row] = label_weights_ == nullptr ? 1.0F : label_weights_[label_of(row)];
    }
    Floats largest;
    reduce(
        -INFINITY, [](Vec a, Vec b) noexcept { return max(b, a); },
        [&](std::int64_t row, const Place& place, Vec logits) noexcept {
          // In the next panel, which no pattern of the last lines tells.
          __builtin_prefetch(logits_ + row * row_stride_ + place.offset + run_stride_);
          return logits;
        })
        .store(largest);
    for (std::int64_t row = 0; row < rows(); ++row) predictions_[row] = find(row, largest[row]);

    // It reads the logits, whose place the powers may take.
    const Vec of_smoothing = smoothing_ == nullptr ? Vec::broadcast(0.0F) : smoothing_loss(largest);
    const Vec sum = reduce(
        0.0F, [](Vec a, Vec b) noexcept { return a + b; },
        [&](std::int64_t row, const Place& place, Vec logits) noexcept {
          const Vec powers = exponential(logits - Vec::broadcast(largest[row]));
          if (gradient_ != nullptr) store(powers, row, place);
          return powers;
        });
    const Vec weight = Vec::load(label_weight);
    const Vec whole = weight + Vec::broadcast(smoothing_sum_);  // Q
    const Vec losses = whole * logarithm(sum) +
                       (weight * (Vec::load(largest) - Vec::load(of_label)) + of_smoothing);
    losses.store(losses_, Vec::first(rows()));
    if (gradient_ != nullptr) {
      const Vec scale = Vec::broadcast(gradient_scale_);
      const Vec powers = exponential(Vec::load(of_label) - Vec::load(largest));
      to_gradient(scale * whole / sum, powers, scale * weight, labels);
    }
    for (std::int64_t row = 0; row < rows(); ++row) {
      if (!counts(row)) clear(row);
    }
  }

 private:
  using Mask = typename Vec::Mask;
  static constexpr std::int64_t kLanes = Vec::kLanes;
  using Floats = float[static_cast<std::size_t>(kLanes)];  ///< one a row
  using Offsets = std::int64_t[static_cast<std::size_t>(kLanes)];
  using Vecs = Vec[static_cast<std::size_t>(kLanes)];  ///< one a row

  /// Sums and maxima run over so many classes side by side, whatever the vectors hold. Then they
  /// are folded in halves. So every ISA gives the same ones.
  static constexpr std::int64_t kSideBySide = 16;
  static constexpr auto kParts = static_cast<std::size_t>(kSideBySide / kLanes);

  /// A vector's classes in each row.
  struct Place {
    std::int64_t at;      ///< the first of them
    std::int64_t offset;  ///< of it in a row
    Mask mask;
  };

  /// Calls body(place) for the vectors of a row until it returns false.
  template <typename Body>
  void for_each_place(Body body) const noexcept {
    std::int64_t offset = 0;
    for (std::int64_t first = 0; first < classes_; first += run_) {
      const std::int64_t end = classes_ - first < run_ ? classes_ : first + run_;
      for (std::int64_t at = first; at < end; at += kLanes) {
        const std::int64_t count = end - at < kLanes ? end - at : kLanes;
        if (!body(Place{at, offset + at - first, Vec::first(count)})) return;
      }
      offset += run_stride_;
    }
  }

  /// The classes of a place in every row. It reads all before it writes any: a store holds up the
  /// loads that overlap it, even a masked one.
  void load(const float* from, const Place& place, Vec* rows) const noexcept {
    for_each_row([&](std::int64_t row) noexcept {
      rows[row] = Vec::load(from + row * row_stride_ + place.offset, place.mask);
    });
  }
  /// To a row of the gradient.
  void store(Vec values, std::int64_t row, const Place& place) const noexcept {
    values.store(gradient_ + row * row_stride_ + place.offset, place.mask);
  }

  std::int64_t rows() const noexcept { return kIsWhole ? kLanes : rows_; }
  /// Calls body(row) for all of them. Those of a whole block keep its numbers in registers.
  template <typename Body>
  void for_each_row(Body body) const noexcept {
    if constexpr (kIsWhole) {
#pragma GCC unroll 16
      for (std::int64_t row = 0; row < kLanes; ++row) body(row);
    } else {
      for (std::int64_t row = 0; row < rows_; ++row) body(row);
    }
  }

  bool counts(std::int64_t row) const noexcept { return labels_[row] != ignore_index_; }
  /// The label of a row; the first class if the row does not count.
  std::int64_t label_of(std::int64_t row) const noexcept { return counts(row) ? labels_[row] : 0; }
  std::int64_t offset_of_label(std::int64_t row) const noexcept {
    const std::int64_t label = label_of(row);
    return row * row_stride_ + label / run_ * run_stride_ + label % run_;
  }

  /// Leaves nothing of a row that does not count, whatever its logits are.
  void clear(std::int64_t row) const noexcept {
    losses_[row] = 0.0F;
    if (gradient_ == nullptr) return;
    for_each_place([&](const Place& place) noexcept {
      store(Vec::broadcast(0.0F), row, place);
      return true;
    });
  }

  /// The sums of smoothing times (largest - logits) of each row.
  Vec smoothing_loss(const Floats& largest) const noexcept {
    return reduce(
        0.0F, [](Vec a, Vec b) noexcept { return a + b; },
        [&](std::int64_t row, const Place& place, Vec logits) noexcept {
          return Vec::load(smoothing_ + place.at, place.mask) *
                 (Vec::broadcast(largest[row]) - logits);
        });
  }

  /// What `op` makes of start and all map(row, place, logits) of a row.
  template <typename Op, typename Map>
  Vec reduce(float start, Op op, Map map) const noexcept {
    Vecs totals[kParts];
    for (Vecs& part : totals) {
      for (Vec& total : part) total = Vec::broadcast(start);
    }
    for_each_place([&](const Place& place) noexcept {
      Vecs rows;
      load(logits_, place, rows);
      Vec* const part = totals[static_cast<std::size_t>(place.at / kLanes) % kParts];
      for_each_row([&](std::int64_t row) noexcept {
        part[row] = select(place.mask, op(part[row], map(row, place, rows[row])), part[row]);
      });
      return true;
    });
    fold<kSideBySide>(&totals[0][0], kLanes, op);
    transpose(totals[0]);
    fold<kLanes>(totals[0], 1, op);
    return totals[0][0];
  }

  /// Folds `kSize` vectors in halves, down to `end` of them.
  template <std::int64_t kSize, typename Op>
  static void fold(Vec* values, std::int64_t end, Op op) noexcept {
    for (std::int64_t half = kSize / 2; half >= end; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) values[i] = op(values[i], values[i + half]);
    }
  }

  /// The first class with the value. It is the last class if none has it.
  std::int64_t find(std::int64_t row, float value) const noexcept {
    const float* const logits = logits_ + row * row_stride_;
    std::int64_t found = classes_ - 1;
    for_each_place([&](const Place& place) noexcept {
      const std::int64_t lane =
          first_equal(Vec::load(logits + place.offset, place.mask), Vec::broadcast(value));
      if (lane < kLanes) found = place.at + lane;
      return lane == kLanes;
    });
    return found;
  }

  /// Multiplies the powers in gradient_ by the row's factor, then takes off the smoothing
  /// everywhere and the row's `at_label` at its label, whose power is among `powers`.
  void to_gradient(Vec factor, Vec powers, Vec at_label, const Offsets& labels) const noexcept {
    const Vec scale = Vec::broadcast(gradient_scale_);
    Floats factors;
    factor.store(factors);
    for_each_place([&](const Place& place) noexcept {
      const Vec everywhere = smoothing_ == nullptr
                                 ? Vec::broadcast(0.0F)
                                 : Vec::load(smoothing_ + place.at, place.mask) * scale;
      Vecs rows;
      load(gradient_, place, rows);
      for_each_row([&](std::int64_t row) noexcept {
        store(rows[row] * Vec::broadcast(factors[row]) - everywhere, row, place);
      });
      return true;
    });
    Floats smoothing = {};  // of the labels
    for (std::int64_t row = 0; row < rows() && smoothing_ != nullptr; ++row) {
      smoothing[row] = smoothing_[label_of(row)];
    }
    Floats at_labels;
    (powers * factor - (Vec::load(smoothing) * scale + at_label)).store(at_labels);
    for (std::int64_t row = 0; row < rows(); ++row) {
      gradient_[labels[row]] = at_labels[row];
    }
  }

  std::int64_t classes_;
  std::int64_t rows_;  // unless it is whole
  std::int64_t row_stride_;
  std::int64_t run_;
  std::int64_t run_stride_;
  const float* logits_;
  float* gradient_;
  const std::int64_t* labels_;
  float* losses_;
  std::int64_t* predictions_;
  std::int64_t ignore_index_;
  const float* label_weights_;
  const float* smoothing_;
  float smoothing_sum_;
  float gradient_scale_;
};

/// cross_entropy_scalar with vectors.
template <typename Vec>
void cross_entropy_simd(const CrossEntropy& batch) noexcept {
  constexpr std::int64_t kWorthIt = 64;  // classes: fewer take longer in whole blocks
  std::int64_t row = 0;
  if (FewClasses<Vec>::fits(batch)) {
    for (; row < batch.rows; row += Vec::kLanes) FewClasses<Vec>(batch, row).run();
  }
  if (batch.classes >= kWorthIt) {
    for (; row + Vec::kLanes <= batch.rows; row += Vec::kLanes) {
      RowBlock<Vec, true>(batch, row).run();
    }
  }
  for (; row < batch.rows; row += Vec::kLanes) RowBlock<Vec, false>(batch, row).run();
}

}  // namespace
}  // namespace quadgate::kernels
