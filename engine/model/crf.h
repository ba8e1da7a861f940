#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/buffer.h"
#include "engine/model/parameters.h"

namespace quadgate {

namespace kernels {
struct CrfKernels;
}

/// A linear-chain conditional random field over the N tags of a sequence, with the definition and
/// the names of pytorch-crf (https://pytorch-crf.readthedocs.io). The score of tags y_0, ..., y_L-1
/// is
///
///     start_transitions[y_0] + sum_t emissions[t, y_t] + sum_t transitions[y_t-1, y_t]
///       + end_transitions[y_L-1]
///
/// and their probability is proportional to e^score. The loss is -log of it; emissions are the
/// head's outputs. Sums over all taggings are computed in log space (the forward and the backward
/// algorithm), each in one order; within a step they add up powers, while no transition is beyond
/// -20 to 20, and else logarithms of them. Functions on sequences may run at the same time, on rows
/// apart.
class Crf {
 public:
  /// Takes the weights over. `parameters` have a crf and must outlive it; the instruction set is
  /// the one that is active now.
  explicit Crf(const Parameters& parameters);
  ~Crf();
  Crf(Crf&&) noexcept;
  Crf& operator=(Crf&&) = delete;

  /// Takes over changed weights.
  void pack() noexcept;

  std::int64_t tags() const noexcept { return tags_; }

  /// Where the steps of a sequence lie in arrays of rows: step t is row offsets[t] + place.
  struct Sequence {
    std::span<const std::int64_t> offsets;
    std::int64_t place = 0;
    std::int64_t length = 0;  ///< at least 1

    std::int64_t row(std::int64_t t) const noexcept {
      return offsets[static_cast<std::size_t>(t)] + place;
    }
  };
  /// Arrays by rows.
  struct Rows {
    float* emissions;  ///< [rows, N]
    float* alphas;     ///< [rows, N], see `backward`
    float* betas;      ///< [rows, N], likewise
    float* shifts;     ///< [rows]
  };

  /// What the forward pass of a sequence leaves. The backward pass asks for it, once.
  class [[nodiscard]] Forward {
   public:
    Forward(Forward&&) noexcept = default;
    Forward& operator=(Forward&&) = delete;

    /// log of the sum of e^score over all taggings.
    double log_sum() const noexcept { return log_sum_; }

   private:
    friend class Crf;
    Forward(const Sequence& sequence, const Rows& rows, double log_sum) noexcept
        : sequence_(sequence), rows_(rows), log_sum_(log_sum) {}

    Sequence sequence_;
    Rows rows_;
    double log_sum_;
  };

  /// Writes the tagging of the largest score (Viterbi) to tags[row], of equal ones one. Uses
  /// `rows.alphas`.
  void decode(const Sequence& sequence, const Rows& rows, std::int64_t* tags) const noexcept;
  /// Fills alphas and shifts.
  Forward forward(const Sequence& sequence, const Rows& rows) const noexcept;
  /// The score of a tagging, labels[row].
  double score(const Sequence& sequence, const Rows& rows,
               const std::int64_t* labels) const noexcept;
  /// Turns emissions into `scale` times the probability of each tag at each step. It fills alphas
  /// and betas for count_transitions: with scores in log space, e^(alphas[i] + transitions[i, j] +
  /// betas[j]) of neighbouring steps is the probability of tag i and, behind it, j.
  void backward(Forward&& forward, float scale) const noexcept;

  /// Adds those probabilities, of `pairs` neighbours one after the other, to rows [first, first +
  /// count) of sums [N, N].
  void count_transitions(std::int64_t first, std::int64_t count, std::int64_t pairs,
                         const float* alphas, const float* betas,
                         std::span<float> sums) const noexcept;

 private:
  double end(const Sequence& sequence, const Rows& rows) const noexcept;
  void add_up(const float* scores, const float* powers, const float* from, float* power,
              const float* emissions, float* to) const noexcept;
  float normalize(float* alphas) const noexcept;

  std::unique_ptr<kernels::CrfKernels> kernels_;
  std::int64_t tags_;
  const float* start_;        // [N], in the parameters
  const float* end_;          // [N], likewise
  const float* transitions_;  // [N, N], likewise
  Buffer transposed_;         // [N, N]
  Buffer powers_;             // [N, N], of the transitions
  Buffer transposed_powers_;  // [N, N]
  Buffer zeros_;              // [N]
  bool has_powers_ = false;   // they and all that is computed with them are within a float's range
};

}  // namespace quadgate
