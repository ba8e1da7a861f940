#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/loss/crf/crf.h"
#include "kernels/simd/math.h"
#include "kernels/simd/width.h"

namespace quadgate::kernels {

CrfKernels crf_kernels_scalar() noexcept;
CrfKernels crf_kernels_avx2() noexcept;
CrfKernels crf_kernels_avx512() noexcept;

namespace {

/// `kVectors` vectors of tags from `first` on; the last one is masked.
template <typename Vec, std::int64_t kVectors>
class TagBlock {
  using Vecs = Vec[static_cast<std::size_t>(kVectors)];

 public:
  TagBlock(std::int64_t first, std::int64_t tags) noexcept
      : first_(first), tags_(tags), mask_(Vec::first(lanes_of_last(tags - first))) {}

  Vec load(const float* from, std::int64_t vector) const noexcept {
    const float* const at = from + first_ + vector * Vec::kLanes;
    return vector + 1 < kVectors ? Vec::load(at) : Vec::load(at, mask_);
  }
  void store(Vec value, float* to, std::int64_t vector) const noexcept {
    float* const at = to + first_ + vector * Vec::kLanes;
    vector + 1 < kVectors ? value.store(at) : value.store(at, mask_);
  }

  /// The largest from[i] + scores[i, j].
  void largest(const CrfStep& step, Vecs& best) const noexcept {
    for (std::int64_t v = 0; v < kVectors; ++v) {
      best[v] = Vec::broadcast(step.from[0]) + load(step.scores, v);
    }
    for_each_term(
        tags_ - 1, step.from + 1, 1, step.scores + tags_,
        [&](std::int64_t v, Vec from, Vec score) { best[v] = max(from + score, best[v]); });
  }

  void add_emissions(const CrfStep& step, Vecs& values) const noexcept {
    for (std::int64_t v = 0; v < kVectors; ++v) {
      if (step.emissions != nullptr) values[v] = values[v] + load(step.emissions, v);
      store(values[v], step.to, v);
    }
  }

  void sum(const CrfStep& step) const noexcept {
    Vecs best;
    largest(step, best);
    Vecs sums;
    clear(sums);
    for_each_term(tags_, step.from, 1, step.scores, [&](std::int64_t v, Vec from, Vec score) {
      sums[v] = sums[v] + exponential(from + score - best[v]);
    });
    for (std::int64_t v = 0; v < kVectors; ++v) best[v] = best[v] + logarithm(sums[v]);
    add_emissions(step, best);
  }

  void best(const CrfStep& step) const noexcept {
    Vecs best;
    largest(step, best);
    add_emissions(step, best);
  }

  void sum_powers(const CrfStep& step) const noexcept {
    Vecs sums;
    clear(sums);
    for_each_term(tags_, step.from, 1, step.scores, [&](std::int64_t v, Vec from, Vec score) {
      sums[v] = fma(from, score, sums[v]);
    });
    for (Vec& sum : sums) sum = logarithm(sum);
    add_emissions(step, sums);
  }

  void count_powers(const CrfCount& count, std::int64_t row) const noexcept {
    Vecs sums;
    clear(sums);
    for_each_term(count.pairs, count.from + row, tags_, count.to,
                  [&](std::int64_t v, Vec from, Vec to) { sums[v] = fma(from, to, sums[v]); });
    float* const total = count.sums + row * tags_;
    for (std::int64_t v = 0; v < kVectors; ++v) {
      store(fma(sums[v], load(count.scores + row * tags_, v), load(total, v)), total, v);
    }
  }

  void count(const CrfCount& count, std::int64_t row) const noexcept {
    Vecs scores;
    for (std::int64_t v = 0; v < kVectors; ++v) scores[v] = load(count.scores + row * tags_, v);
    Vecs sums;
    clear(sums);
    for_each_term(count.pairs, count.from + row, tags_, count.to,
                  [&](std::int64_t v, Vec from, Vec to) {
                    sums[v] = sums[v] + exponential(from + scores[v] + to);
                  });
    float* const total = count.sums + row * tags_;
    for (std::int64_t v = 0; v < kVectors; ++v) store(load(total, v) + sums[v], total, v);
  }

 private:
  static void clear(Vecs& sums) noexcept {
    for (Vec& sum : sums) sum = Vec::broadcast(0.0F);
  }

  /// Calls body(v, from[i * stride] in all lanes, vector v of row i of `matrix`) for each vector of
  /// the block, row by row.
  template <typename Body>
  void for_each_term(std::int64_t rows, const float* from, std::int64_t stride, const float* matrix,
                     Body body) const noexcept {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Vec scalar = Vec::broadcast(from[i * stride]);
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kVectors; ++v) body(v, scalar, load(matrix + i * tags_, v));
    }
  }

  /// Of `left` tags, which may be more than the block has.
  static std::int64_t lanes_of_last(std::int64_t left) noexcept {
    const std::int64_t lanes = left - (kVectors - 1) * Vec::kLanes;
    return lanes < Vec::kLanes ? lanes : Vec::kLanes;
  }

  std::int64_t first_;
  std::int64_t tags_;
  typename Vec::Mask mask_;
};

/// Calls body(block) for blocks of up to 4 vectors that make up all tags.
template <typename Vec, typename Body>
void for_each_tag_block(std::int64_t tags, Body body) noexcept {
  constexpr std::int64_t kMost = 4 * Vec::kLanes;
  for (std::int64_t first = 0; first < tags; first += kMost) {
    with_vectors<Vec>(tags - first < kMost ? tags - first : kMost,
                      [&]<std::int64_t kVectors>() { body(TagBlock<Vec, kVectors>(first, tags)); });
  }
}

template <typename Vec>
void crf_sum_simd(const CrfStep& step) noexcept {
  for_each_tag_block<Vec>(step.tags, [&](const auto& block) { block.sum(step); });
}

template <typename Vec>
void crf_best_simd(const CrfStep& step) noexcept {
  for_each_tag_block<Vec>(step.tags, [&](const auto& block) { block.best(step); });
}

template <typename Vec>
void crf_exp_simd(std::int64_t count, const float* left, const float* right, float scale,
                  float* to) noexcept {
  for (std::int64_t at = 0; at < count; at += Vec::kLanes) {
    const auto mask = Vec::first(count - at < Vec::kLanes ? count - at : Vec::kLanes);
    const Vec power = exponential(Vec::load(left + at, mask) + Vec::load(right + at, mask));
    (Vec::broadcast(scale) * power).store(to + at, mask);
  }
}

/// Calls body(block, row) for each row of `count`, and its blocks.
template <typename Vec, typename Body>
void for_each_counted_row(const CrfCount& count, Body body) noexcept {
  for (std::int64_t row = count.first_row; row < count.first_row + count.rows; ++row) {
    for_each_tag_block<Vec>(count.tags, [&](const auto& block) { body(block, row); });
  }
}

template <typename Vec>
void crf_count_simd(const CrfCount& count) noexcept {
  for_each_counted_row<Vec>(count,
                            [&](const auto& block, std::int64_t row) { block.count(count, row); });
}

template <typename Vec>
void crf_sum_powers_simd(const CrfStep& step) noexcept {
  for_each_tag_block<Vec>(step.tags, [&](const auto& block) { block.sum_powers(step); });
}

template <typename Vec>
void crf_count_powers_simd(const CrfCount& count) noexcept {
  for_each_counted_row<Vec>(
      count, [&](const auto& block, std::int64_t row) { block.count_powers(count, row); });
}

template <typename Vec>
CrfKernels crf_kernels_simd() noexcept {
  return {crf_sum_simd<Vec>,   crf_best_simd<Vec>,       crf_exp_simd<Vec>,
          crf_count_simd<Vec>, crf_sum_powers_simd<Vec>, crf_count_powers_simd<Vec>};
}

}  // namespace
}  // namespace quadgate::kernels
