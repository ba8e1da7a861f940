#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quadgate::testing {

/// The scores of a linear-chain conditional random field over `tags` tags, with pytorch-crf's
/// names.
struct CrfScores {
  std::size_t tags = 0;
  std::vector<double> start, end;   ///< [N]
  std::vector<double> transitions;  ///< [N, N]
};

/// All taggings of one sequence, one after the other: so few tags and steps alone.
class CrfReference {
 public:
  /// `emissions` [L, N], of tagging `labels` [L].
  CrfReference(const CrfScores& scores, std::span<const double> emissions,
               std::span<const std::int64_t> labels)
      : tags(labels.size()), scores_(scores), emissions_(emissions) {
    d_start.resize(scores.tags);
    d_end.resize(scores.tags);
    d_transitions.resize(scores.tags * scores.tags);
    probabilities.resize(emissions.size());
    std::vector<std::int64_t> path(labels.size());
    double best = -INFINITY;
    double sum = 0;
    const double shift = score(labels);  // so that no power is too large or too small
    do {
      const double of_path = score(path);
      sum += std::exp(of_path - shift);
      if (of_path > best) {
        best = of_path;
        tags = path;
      }
    } while (next(path));
    loss = std::log(sum);
    best_score = best;
    do {
      add(path, std::exp(score(path) - shift) / sum, true);
    } while (next(path));
    add(labels, -1, false);
  }

  /// That of a tagging.
  double score(std::span<const std::int64_t> path) const {
    double score = scores_.start[at(path, 0)] + scores_.end[at(path, path.size() - 1)];
    for (std::size_t t = 0; t < path.size(); ++t) {
      score += emissions_[t * scores_.tags + at(path, t)];
      if (t > 0) score += scores_.transitions[at(path, t - 1) * scores_.tags + at(path, t)];
    }
    return score;
  }

  double loss = 0;
  std::vector<double> probabilities;                  ///< [L, N], of each tag at each step
  std::vector<double> d_start, d_end, d_transitions;  ///< gradients of the loss
  double best_score = 0;
  std::vector<std::int64_t> tags;  ///< [L], of it

 private:
  static std::size_t at(std::span<const std::int64_t> path, std::size_t t) {
    return static_cast<std::size_t>(path[t]);
  }

  /// False after the last one, which becomes the first.
  bool next(std::vector<std::int64_t>& path) const {
    for (std::int64_t& tag : path) {
      if (static_cast<std::size_t>(++tag) < scores_.tags) return true;
      tag = 0;
    }
    return false;
  }

  void add(std::span<const std::int64_t> path, double weight, bool is_expected) {
    d_start[at(path, 0)] += weight;
    d_end[at(path, path.size() - 1)] += weight;
    for (std::size_t t = 0; t < path.size(); ++t) {
      if (is_expected) probabilities[t * scores_.tags + at(path, t)] += weight;
      if (t > 0) d_transitions[at(path, t - 1) * scores_.tags + at(path, t)] += weight;
    }
  }

  const CrfScores& scores_;
  std::span<const double> emissions_;
};

}  // namespace quadgate::testing
