#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// What a linear-chain conditional random field (Lafferty et al. 2001) does between two steps of a
/// sequence, each of `tags` scores in log space.
struct CrfStep {
  std::int64_t tags;       ///< N, at least 1
  const float* scores;     ///< [N, N]: of tag j behind tag i, or e to them
  const float* from;       ///< [N], or e to them
  const float* emissions;  ///< [N]; null: zeros
  float* to;               ///< [N], apart from `from`
};

/// Pairs of neighbouring steps, for the gradient of the scores.
struct CrfCount {
  std::int64_t tags;
  std::int64_t first_row;  ///< of the rows of `scores` and `sums` that it is about
  std::int64_t rows;
  const float* scores;  ///< [N, N], or e to them, as the next two
  std::int64_t pairs;
  const float* from;  ///< [pairs, N]
  const float* to;    ///< [pairs, N]
  float* sums;        ///< [N, N]
};

/// The versions for an instruction set. Each sum and maximum is of one lane, term after term, so
/// every ISA gives the same bits. Terms below e^-87 of the largest one count as e^-87. What is not
/// a number stays none.
struct CrfKernels {
  /// to[j] = emissions[j] + log sum_i exp(from[i] + scores[i, j]), within 2 + N / 2 epsilon of 1 +
  /// log(N) + the largest of |from[i] + scores[i, j]| and |emissions[j]|.
  void (*sum)(const CrfStep& step) noexcept;
  /// to[j] = emissions[j] + max_i (from[i] + scores[i, j]), rounded twice.
  void (*best)(const CrfStep& step) noexcept;
  /// to[j] = scale exp(left[j] + right[j]), where `to` may be either, for j of N = `count`.
  void (*exp)(std::int64_t count, const float* left, const float* right, float scale,
              float* to) noexcept;
  /// sums[i, j] += the sum of exp(from[i] + scores[i, j] + to[j]) over the pairs, one after the
  /// other. Each power is within 2 + 2 M epsilon of it (relative), where M is the largest of
  /// |from[i]|, |scores[i, j]| and |to[j]|.
  void (*count)(const CrfCount& count) noexcept;

  // The same of e to the scores, where no power is too large or too small for a float: a third of
  // the time with 300 tags.

  /// to[j] = emissions[j] + log sum_i from[i] scores[i, j], within 2 + N / 2 epsilon of 1 and that
  /// logarithm, and 2 of the emission. Some sum's term is above e^-87.
  void (*sum_powers)(const CrfStep& step) noexcept;
  /// sums[i, j] += scores[i, j] times the sum of from[i] to[j] over the pairs, within 3 + pairs / 2
  /// epsilon (relative).
  void (*count_powers)(const CrfCount& count) noexcept;
};
CrfKernels crf_kernels(Isa isa) noexcept;

}  // namespace quadgate::kernels
