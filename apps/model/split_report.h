#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "apps/model/model_on_data.h"
#include "apps/model/probabilistic_errors.h"
#include "apps/model/report.h"
#include "apps/model/text_report.h"
#include "apps/model/value_report.h"
#include "engine/metrics/class_metrics.h"
#include "engine/model/batch.h"
#include "engine/model/crf_batch.h"

namespace quadgate::apps {

/// All that is told of a model on a split beside the means of Metrics. A copy goes on from what was
/// added so far.
class SplitReport {
 public:
  struct Options {
    std::optional<std::int64_t> season{};  ///< of a forecast; none: as the train split has it
    std::optional<std::int64_t> top_k{};   ///< of classes; none: kTopK
  };

  /// For a split of `data`, the files at `paths`. `model`, `data` and `split` must outlive it and
  /// its copies. Throws FileError.
  SplitReport(const ModelDescription& model, const Dataset& data, const Split& split,
              std::span<const std::filesystem::path> paths, const Options& options);

  /// Adds a batch, from the outputs of Network::predict; all of the split's come in order.
  void add(const Batch& batch, std::span<const float> outputs, CrfBatch* crf);
  void tell(Report& report) const;

 private:
  const ModelDescription& model_;
  std::optional<TextReport> text_;  // of a language model
  std::optional<ClassMetrics> classes_;
  std::optional<ValueReport> values_;  // as the next one of a regression
  std::optional<ProbabilisticErrors> probabilistic_;
};

}  // namespace quadgate::apps
