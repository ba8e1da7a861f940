#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/metrics/class_counts.h"
#include "engine/metrics/entities.h"
#include "engine/metrics/roc.h"

namespace quadgate {

/// All that is told of a classification or tagging beside loss and accuracy, over the items of many
/// batches. An item of ignore_index counts for nothing.
class ClassMetrics {
 public:
  /// `top_k`: a class among the k likeliest is a hit.
  ClassMetrics(std::span<const std::string> class_names, std::int64_t ignore_index,
               std::int64_t top_k, bool is_tagging);

  /// Counts the items of a batch: `labels` [items] and logits [items, classes]. With tagging, the
  /// items from offsets[n] on to offsets[n + 1] are a sentence. Without `predicted` [items] the
  /// prediction is the largest logit, the first of equal ones.
  void add(std::span<const std::int64_t> labels, std::span<const std::int64_t> offsets,
           std::span<const float> logits, std::span<const std::int64_t> predicted = {});
  /// Counts what the other one has counted.
  void add(const ClassMetrics& other);

  const ClassCounts& counts() const noexcept { return counts_; }
  const RocScores& roc() const noexcept { return roc_; }
  /// None unless the classes are tags of entities.
  const std::optional<EntityCounts>& entities() const noexcept { return entities_; }
  /// The share of items whose class is among the k likeliest.
  double top_k_accuracy() const;
  /// The mean of the areas that there are; with two classes that of the second. None without any.
  std::optional<double> roc_auc() const;

  /// "balanced_accuracy", "precision_macro", ... in an order to tell them in. Those that there are.
  std::vector<std::pair<std::string, double>> named() const;

 private:
  std::size_t classes_;
  std::int64_t ignore_index_;
  std::int64_t top_k_;
  bool is_tagging_;
  ClassCounts counts_;
  RocScores roc_;
  std::optional<EntityCounts> entities_;
  std::int64_t top_k_hits_ = 0;
  std::vector<std::int64_t> sentence_labels_, sentence_predictions_;
};

}  // namespace quadgate
