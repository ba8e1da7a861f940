#include "apps/model/split_report.h"

#include <algorithm>
#include <iterator>

#include "apps/model/class_report.h"

namespace quadgate::apps {

SplitReport::SplitReport(const ModelDescription& model, const Dataset& data, const Split& split,
                         std::span<const std::filesystem::path> paths, const Options& options)
    : model_(model) {
  if (model.data.streams) {
    text_.emplace(model);
  } else if (model.config.task == Task::regression) {
    values_.emplace(model.config, data, split, paths, options.season);
    probabilistic_.emplace(model.config);
  } else {
    classes_.emplace(class_metrics(model, options.top_k.value_or(kTopK)));
  }
}

void SplitReport::add(const Batch& batch, std::span<const float> outputs, CrfBatch* crf) {
  if (text_) return text_->add(batch, outputs);
  if (classes_) return add_batch(batch, outputs, crf, *classes_);
  values_->add(batch, outputs);
  probabilistic_->add(outputs, batch.targets);
}

void SplitReport::tell(Report& report) const {
  if (text_) return text_->tell(report);
  if (classes_) return add_class_report(model_, *classes_, report);
  values_->tell(report);
  std::ranges::copy(probabilistic_->named(), std::back_inserter(report.numbers));
}

}  // namespace quadgate::apps
