#include "apps/model/class_report.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace quadgate::apps {
namespace {

ReportTable classes_table(const std::vector<std::string>& names, const ClassMetrics& metrics) {
  ReportTable table{
      "classes", "class", {"class"}, {"precision", "recall", "f1", "support", "roc_auc"}};
  const ClassCounts& counts = metrics.counts();
  for (std::int64_t label = 0; label < counts.classes(); ++label) {
    const ClassScore score = counts.score(label);
    const auto area = metrics.roc().is_complete() ? metrics.roc().area(label) : std::nullopt;
    table.rows.push_back(
        {{names[static_cast<std::size_t>(label)]},
         {score.precision, score.recall, score.f1, counts.support(label), number_of(area)}});
  }
  return table;
}

/// A row a class that items have, a column a class that the model gives them.
ReportTable confusion_table(const std::vector<std::string>& names, const ClassCounts& counts) {
  ReportTable table{"confusion", "confusion", {"class"}, names};
  for (std::int64_t label = 0; label < counts.classes(); ++label) {
    ReportTable::Row row{{names[static_cast<std::size_t>(label)]}};
    for (std::int64_t predicted = 0; predicted < counts.classes(); ++predicted) {
      row.numbers.emplace_back(counts.pair(label, predicted));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable entities_table(const EntityCounts& entities) {
  ReportTable table{"entities", "entity", {"entity"}, {"precision", "recall", "f1", "support"}};
  for (const auto& [type, counts] : entities.types()) {
    const ClassScore score = counts.score();
    table.rows.push_back({{type}, {score.precision, score.recall, score.f1, counts.support}});
  }
  return table;
}

}  // namespace

ClassMetrics class_metrics(const ModelDescription& model, std::int64_t top_k) {
  return {model.data.class_names, model.config.loss.ignore_index, top_k,
          model.config.task == Task::tagging};
}

void add_batch(const Batch& batch, std::span<const float> outputs, CrfBatch* crf,
               ClassMetrics& metrics) {
  if (crf == nullptr) return metrics.add(batch.labels, batch.offsets, outputs);
  std::vector<float> logarithms;
  for (const float probability : crf->probabilities(batch, outputs)) {
    logarithms.push_back(std::log(probability));
  }
  metrics.add(batch.labels, batch.offsets, logarithms, crf->decode(batch, outputs));
}

void add_class_report(const ModelDescription& model, const ClassMetrics& metrics, Report& report) {
  for (const auto& [name, value] : metrics.named()) report.numbers.emplace_back(name, value);
  const std::vector<std::string>& names = model.data.class_names;
  report.tables.push_back(classes_table(names, metrics));
  if (metrics.entities()) report.tables.push_back(entities_table(*metrics.entities()));
  if (metrics.counts().has_pairs()) {
    report.tables.push_back(confusion_table(names, metrics.counts()));
  } else {
    report.notes.push_back(fmt::format("no confusion matrix: {} classes, above {}", names.size(),
                                       ClassCounts::kMostPairs));
  }
  if (!metrics.roc().is_complete()) {
    report.notes.push_back(fmt::format("no roc_auc: {} items of {} classes are above {} scores",
                                       metrics.counts().items(), names.size(),
                                       RocScores::kMostScores));
  }
}

}  // namespace quadgate::apps
