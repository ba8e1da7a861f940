#pragma once

#include <string>

#include "apps/model/input_data.h"

namespace quadgate::apps {

/// Writes what a model gives for its data, and for what comes behind them (ModelOnData::go_on).
class PredictionWriter {
 public:
  PredictionWriter() = default;
  virtual ~PredictionWriter() = default;
  PredictionWriter(const PredictionWriter&) = delete;
  PredictionWriter& operator=(const PredictionWriter&) = delete;

  /// Writes it for all of the split that the model is on; to stdout it has arrived then. With
  /// `words`, tokens are written as the input has them.
  virtual void add(const InputWords* words) = 0;
  /// Call it once all is written. Returns what that is: "12 windows".
  virtual std::string finish() = 0;
};

}  // namespace quadgate::apps
