#include "apps/model/predictions.h"

#include <algorithm>

#include "engine/metrics/softmax.h"

namespace quadgate::apps {
namespace {

/// Appends the class with the largest of the `logits`, and its softmax.
void add_class(std::span<const float> logits, Predictions& predictions) {
  const auto best = std::ranges::max_element(logits);
  predictions.classes.push_back(best - logits.begin());
  predictions.probabilities.push_back(static_cast<float>(SoftmaxSum(logits).probability(*best)));
}

/// Appends the best tagging of each sequence, and the probability of each of its tags, whatever the
/// others are; all probabilities if `has_shares`.
void add_taggings(CrfBatch& crf, const Batch& batch, std::span<const float> outputs,
                  bool has_shares, Predictions& predictions) {
  const auto best = crf.decode(batch, outputs);
  const std::vector<std::int64_t> tags(best.begin(), best.end());
  predictions.classes.insert(predictions.classes.end(), tags.begin(), tags.end());
  const auto size = outputs.size() / tags.size();
  const auto probabilities = crf.probabilities(batch, outputs);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    predictions.probabilities.push_back(
        probabilities[i * size + static_cast<std::size_t>(tags[i])]);
  }
  if (!has_shares) return;
  predictions.shares.insert(predictions.shares.end(), probabilities.begin(), probabilities.end());
}

/// Appends the softmax of logits.
void add_softmax(std::span<const float> logits, std::vector<float>& shares) {
  const SoftmaxSum softmax(logits);
  for (const float logit : logits) {
    shares.push_back(static_cast<float>(softmax.probability(logit)));
  }
}

}  // namespace

PredictionAdder::PredictionAdder(const ModelOnData& model, bool has_shares, WindowUnits& units)
    : loss_(model.description().config),
      units_(units),
      size_(static_cast<std::size_t>(model.description().config.output_size)),
      each_(static_cast<std::size_t>(model.description().config.loss.outputs_per_target())),
      is_regression_(model.description().config.task == Task::regression),
      has_shares_(has_shares) {
  if (model.description().config.crf) crf_.emplace(model.parameters());
}

void PredictionAdder::add(const Batch& batch, std::span<const float> outputs, Predictions& all) {
  const std::int64_t before = all.offsets.back();
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    all.offsets.push_back(before + batch.offsets[static_cast<std::size_t>(row) + 1]);
  }
  if (is_regression_) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto number = static_cast<std::int64_t>(i % each_);
      const auto value = static_cast<double>(loss_.value(outputs[i], number));
      const OutputUnits& units = units_.of(row_ + static_cast<std::int64_t>(i / size_));
      all.values.push_back(value * units.std[i % size_] + units.mean[i % size_]);
    }
    row_ += batch.rows();
    return;
  }
  all.outputs.insert(all.outputs.end(), outputs.begin(), outputs.end());
  all.labels.insert(all.labels.end(), batch.labels.begin(), batch.labels.end());
  all.tokens.insert(all.tokens.end(), batch.tokens.begin(), batch.tokens.end());
  if (crf_) return add_taggings(*crf_, batch, outputs, has_shares_, all);
  for (std::size_t i = 0; i < outputs.size(); i += size_) {
    add_class(outputs.subspan(i, size_), all);
    if (has_shares_) add_softmax(outputs.subspan(i, size_), all.shares);
  }
}

}  // namespace quadgate::apps
