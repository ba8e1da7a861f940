#include "engine/metrics/class_counts.h"

#include <numeric>

namespace quadgate {
namespace {

double ratio(std::int64_t part, std::int64_t whole) noexcept {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_all(const std::vector<std::int64_t>& from, std::vector<std::int64_t>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

/// Sums of scores with weights.
struct ScoreSum {
  ClassScore sum;
  double weight = 0;

  void add(const ClassScore& score, double its_weight) noexcept {
    sum.precision += its_weight * score.precision;
    sum.recall += its_weight * score.recall;
    sum.f1 += its_weight * score.f1;
    weight += its_weight;
  }
  ClassScore mean() const noexcept {
    return {sum.precision / weight, sum.recall / weight, sum.f1 / weight};
  }
};

}  // namespace

ClassScore score_of(std::int64_t hits, std::int64_t support, std::int64_t predicted) noexcept {
  return {ratio(hits, predicted), ratio(hits, support), ratio(2 * hits, support + predicted)};
}

ClassCounts::ClassCounts(std::int64_t classes)
    : hits_(index(classes)), support_(index(classes)), predicted_(index(classes)) {
  if (classes <= kMostPairs) pairs_.resize(index(classes * classes));
}

void ClassCounts::add(std::int64_t label, std::int64_t predicted) {
  ++support_[index(label)];
  ++predicted_[index(predicted)];
  hits_[index(label)] += label == predicted ? 1 : 0;
  if (has_pairs()) ++pairs_[index(label * classes() + predicted)];
}

void ClassCounts::add(const ClassCounts& other) {
  add_all(other.hits_, hits_);
  add_all(other.support_, support_);
  add_all(other.predicted_, predicted_);
  add_all(other.pairs_, pairs_);
}

std::int64_t ClassCounts::items() const noexcept {
  return std::accumulate(support_.begin(), support_.end(), std::int64_t{0});
}

ClassScore ClassCounts::score(std::int64_t label) const {
  return score_of(hits_[index(label)], support_[index(label)], predicted_[index(label)]);
}

ClassScore ClassCounts::macro() const {
  ScoreSum sum;
  for (std::int64_t label = 0; label < classes(); ++label) {
    const bool occurs = support_[index(label)] + predicted_[index(label)] > 0;
    if (occurs) sum.add(score(label), 1);
  }
  return sum.mean();
}

ClassScore ClassCounts::weighted() const {
  ScoreSum sum;
  for (std::int64_t label = 0; label < classes(); ++label) {
    sum.add(score(label), static_cast<double>(support(label)));
  }
  return sum.mean();
}

double ClassCounts::balanced_accuracy() const {
  ScoreSum sum;
  for (std::int64_t label = 0; label < classes(); ++label) {
    if (support(label) > 0) sum.add(score(label), 1);
  }
  return sum.mean().recall;
}

}  // namespace quadgate
