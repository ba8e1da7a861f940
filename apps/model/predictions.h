#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "apps/model/model_on_data.h"
#include "engine/model/crf_batch.h"
#include "engine/model/loss.h"
#include "io/data/output_units.h"

namespace quadgate::apps {

/// The predictions of a model. An item is a sequence, or a step of one for tagging.
struct Predictions {
  std::vector<float> outputs;            ///< [items, O]: logits; empty for regression
  std::vector<double> values;            ///< [items, O], in original units; of regression alone
  std::vector<std::int64_t> labels;      ///< [items], true classes; empty where nobody knows them
  std::vector<std::int64_t> offsets{0};  ///< [n + 1]: sequence i is steps offsets[i]..offsets[i+1]
  std::vector<std::int64_t> classes;     ///< [items], predicted; empty for regression
  std::vector<float> probabilities;      ///< [items], of the predicted class
  std::vector<float> shares;             ///< [items, O], of all classes, if they are asked for
  std::vector<std::int32_t> tokens;      ///< [items], of tagging, or none
};

/// Adds the predictions for a batch.
class PredictionAdder {
 public:
  /// `units` are those of the split that the model is on. All shares are added if `has_shares`.
  PredictionAdder(const ModelOnData& model, bool has_shares, WindowUnits& units);

  void add(const Batch& batch, std::span<const float> outputs, Predictions& all);

 private:
  Loss loss_;
  WindowUnits& units_;
  std::int64_t row_ = 0;  // of the next batch's first
  std::size_t size_;
  std::size_t each_;  // outputs of a target
  bool is_regression_;
  bool has_shares_;
  std::optional<CrfBatch> crf_;
};

}  // namespace quadgate::apps
