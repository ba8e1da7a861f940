#include "engine/metrics/class_metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace quadgate {
namespace {

/// How many classes are before `label`: with a larger logit, or an equal one in front.
std::int64_t rank_of(std::size_t label, std::span<const float> logits) {
  std::int64_t rank = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const bool is_before = logits[i] > logits[label] || (logits[i] == logits[label] && i < label);
    rank += is_before ? 1 : 0;
  }
  return rank;
}

}  // namespace

ClassMetrics::ClassMetrics(std::span<const std::string> class_names, std::int64_t ignore_index,
                           std::int64_t top_k, bool is_tagging)
    : classes_(class_names.size()),
      ignore_index_(ignore_index),
      top_k_(top_k),
      is_tagging_(is_tagging),
      counts_(static_cast<std::int64_t>(classes_)),
      roc_(static_cast<std::int64_t>(classes_)) {
  if (!is_tagging) return;
  if (auto tags = entity_tags(class_names)) entities_.emplace(std::move(*tags));
}

void ClassMetrics::add(std::span<const std::int64_t> labels, std::span<const std::int64_t> offsets,
                       std::span<const float> logits, std::span<const std::int64_t> predicted) {
  std::size_t item = 0;
  const auto add_until = [&](std::size_t end) {
    sentence_labels_.clear();
    sentence_predictions_.clear();
    for (; item < end; ++item) {
      const std::int64_t label = labels[item];
      if (label == ignore_index_) continue;
      const auto its_logits = logits.subspan(item * classes_, classes_);
      const std::int64_t prediction =
          predicted.empty() ? std::ranges::max_element(its_logits) - its_logits.begin()
                            : predicted[item];
      counts_.add(label, prediction);
      roc_.add(label, its_logits);
      const auto rank = rank_of(static_cast<std::size_t>(label), its_logits);
      top_k_hits_ += rank < top_k_ ? 1 : 0;
      sentence_labels_.push_back(label);
      sentence_predictions_.push_back(prediction);
    }
    if (entities_) entities_->add(sentence_labels_, sentence_predictions_);
  };
  if (is_tagging_) {
    for (const std::int64_t offset : offsets) add_until(static_cast<std::size_t>(offset));
  } else {
    add_until(labels.size());
  }
}

void ClassMetrics::add(const ClassMetrics& other) {
  counts_.add(other.counts_);
  roc_.add(other.roc_);
  if (entities_) entities_->add(*other.entities_);
  top_k_hits_ += other.top_k_hits_;
}

double ClassMetrics::top_k_accuracy() const {
  return static_cast<double>(top_k_hits_) / static_cast<double>(counts_.items());
}

std::optional<double> ClassMetrics::roc_auc() const {
  if (!roc_.is_complete()) return {};
  if (classes_ == 2) return roc_.area(1);
  double sum = 0;
  double count = 0;
  for (std::int64_t label = 0; label < counts_.classes(); ++label) {
    const std::optional<double> area = roc_.area(label);
    sum += area.value_or(0);
    count += area ? 1 : 0;
  }
  if (count == 0) return {};
  return sum / count;
}

std::vector<std::pair<std::string, double>> ClassMetrics::named() const {
  std::vector<std::pair<std::string, double>> named{
      {"balanced_accuracy", counts_.balanced_accuracy()}};
  const auto add = [&](const char* kind, const ClassScore& score) {
    named.emplace_back(fmt::format("precision_{}", kind), score.precision);
    named.emplace_back(fmt::format("recall_{}", kind), score.recall);
    named.emplace_back(fmt::format("f1_{}", kind), score.f1);
  };
  add("macro", counts_.macro());
  add("weighted", counts_.weighted());
  if (const auto area = roc_auc()) named.emplace_back("roc_auc", *area);
  if (std::cmp_less(top_k_, classes_)) {
    named.emplace_back(fmt::format("top{}_accuracy", top_k_), top_k_accuracy());
  }
  if (entities_) {
    const ClassScore score = entities_->all().score();
    named.emplace_back("entity_precision", score.precision);
    named.emplace_back("entity_recall", score.recall);
    named.emplace_back("entity_f1", score.f1);
  }
  return named;
}

}  // namespace quadgate
