#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "engine/model/batch.h"
#include "engine/model/loss.h"
#include "io/data/data_description.h"

namespace quadgate::apps {

/// The features that are made of a row's time.
class CalendarColumns {
 public:
  explicit CalendarColumns(const DataDescription& data);

  /// Fills those of a row of features, whose times `times` has as number `step`. Throws DataError
  /// if it has not.
  void fill(const std::vector<double>& times, std::int64_t step, std::span<float> row);

 private:
  std::vector<std::string> parts_;
  std::vector<std::int64_t> columns_;
  std::vector<double> means_, stds_;  // by column
  std::vector<double> values_;
};

/// Forecasts of a batch of windows, row by row of time, recursively behind the horizon.
class Forecaster {
 public:
  /// Throws InvalidArgument if the model cannot go on for so many steps.
  Forecaster(ModelOnData& model, std::int64_t steps);

  /// Fills `values` [rows, steps, targets, outputs of a target] with what the head gives for the
  /// rows behind the inputs of the batch, of which `outputs` is its output. `times` are those of
  /// each row's steps, or none where they are not known.
  void run(const Batch& batch, std::span<const float> outputs,
           std::span<const std::vector<double>> times, std::vector<float>& values);

  std::int64_t targets() const noexcept { return std::ssize(columns_); }
  std::int64_t steps() const noexcept { return steps_; }

 private:
  void expect_all_columns() const;
  void take(std::span<const float> outputs, std::int64_t first, std::vector<float>& values) const;
  void go_on(const std::vector<float>& points, std::span<const std::vector<double>> times,
             std::int64_t first);

  ModelOnData& model_;
  CalendarColumns calendar_;
  Loss loss_;
  std::vector<std::int64_t> columns_;  // of the targets
  Window window_;
  std::int64_t features_;
  std::int64_t steps_;
  std::int64_t each_;  // outputs of a target
  Batch next_;
  std::vector<float> outputs_;
};

}  // namespace quadgate::apps
