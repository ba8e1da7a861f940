#include "engine/metrics/roc.h"

#include <algorithm>

#include "engine/metrics/softmax.h"

namespace quadgate {

// Drops everything if so many more items do not fit.
void RocScores::expect_room(std::size_t items) {
  if (scores_.size() + items * classes_ <= kMostScores) return;
  is_complete_ = false;
  labels_ = {};
  scores_ = {};
}

void RocScores::add(std::int64_t label, std::span<const float> logits) {
  expect_room(1);
  if (!is_complete_) return;
  const double log_sum = SoftmaxSum(logits).log();
  labels_.push_back(label);
  for (const float logit : logits) {
    scores_.push_back(static_cast<float>(static_cast<double>(logit) - log_sum));
  }
}

void RocScores::add(const RocScores& other) {
  is_complete_ = is_complete_ && other.is_complete_;
  expect_room(other.labels_.size());
  if (!is_complete_) return;
  labels_.insert(labels_.end(), other.labels_.begin(), other.labels_.end());
  scores_.insert(scores_.end(), other.scores_.begin(), other.scores_.end());
}

// The Mann-Whitney statistic: of all pairs, in how many the item of the class scores higher.
std::optional<double> RocScores::area(std::int64_t label) const {
  struct Item {
    float score;
    bool is_positive;
  };
  std::vector<Item> items;
  items.reserve(labels_.size());
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    items.push_back({scores_[i * classes_ + static_cast<std::size_t>(label)], labels_[i] == label});
  }
  std::ranges::sort(items, {}, &Item::score);
  double wins = 0;
  double positives = 0;
  double negatives = 0;
  for (auto first = items.begin(); first != items.end();) {
    double tied_positives = 0;
    double tied_negatives = 0;
    auto end = first;
    for (; end != items.end() && end->score == first->score; ++end) {
      (end->is_positive ? tied_positives : tied_negatives) += 1;
    }
    wins += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
    first = end;
  }
  if (positives == 0 || negatives == 0) return {};
  return wins / (positives * negatives);
}

}  // namespace quadgate
