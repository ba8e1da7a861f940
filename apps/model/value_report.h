#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/model/baselines.h"
#include "apps/model/model_on_data.h"
#include "apps/model/report.h"
#include "engine/metrics/value_errors.h"
#include "engine/model/batch.h"
#include "engine/model/loss.h"
#include "io/data/output_units.h"

namespace quadgate::apps {

/// Errors of predicted values in original units: of a regression's values, or of a forecast's
/// targets, steps and series, beside the baselines.
class ValueReport {
 public:
  /// Of a split of `data`, the files at `paths`, which must outlive it, with a `season`, or else
  /// one that the train split has. Throws FileError.
  ValueReport(const ModelConfig& model, const Dataset& data, const Split& split,
              std::span<const std::filesystem::path> paths, std::optional<std::int64_t> season);

  void add(const Batch& batch, std::span<const float> outputs);
  void tell(Report& report) const;

 private:
  /// Of the model or a baseline.
  struct Errors {
    std::string name;
    std::vector<ValueErrors> targets{};  // [targets]
    std::vector<ValueErrors> steps{};    // [horizon, targets]
    std::vector<ValueErrors> series{};   // [series, targets]; none of one series
  };
  using Part = std::vector<ValueErrors> Errors::*;

  void add_forecaster(std::string name);
  void add_values(std::span<const double> values, const Batch& batch, Errors& errors);
  void name_series(std::int64_t window);
  std::optional<double> skill(Part part, std::size_t place) const;
  std::vector<ReportNumber> numbers(Part part, std::size_t place) const;
  ReportTable table(const char* key, const char* by, Part part) const;
  ReportTable baselines_table() const;
  void tell_means(Report& report) const;
  std::string season_text() const;

  const Split& split_;
  Loss loss_;
  WindowUnits units_;
  std::vector<std::string> names_;  // of the targets
  std::optional<Baselines> baselines_;
  bool is_season_given_;
  std::int64_t num_series_ = 1;
  std::map<std::int64_t, std::string> series_;  // names by number, of those with windows
  std::size_t horizon_ = 1;
  std::vector<Errors> errors_;  // the model's, then the baselines'
  std::int64_t windows_ = 0;    // so far
  std::vector<double> values_;
};

}  // namespace quadgate::apps
