#pragma once

#include <cstdint>
#include <span>

#include "apps/model/report.h"
#include "engine/metrics/class_metrics.h"
#include "engine/model/batch.h"
#include "engine/model/crf_batch.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// The k of top-k accuracy, unless one is asked for.
inline constexpr std::int64_t kTopK = 5;

/// The class metrics of a model of classification or tagging that count nothing yet.
ClassMetrics class_metrics(const ModelDescription& model, std::int64_t top_k = kTopK);

/// Counts a batch, from the outputs of Network::predict. With a random field, its best taggings are
/// the predictions, and the probabilities of tags are its own.
void add_batch(const Batch& batch, std::span<const float> outputs, CrfBatch* crf,
               ClassMetrics& metrics);

/// Adds numbers, and the tables `classes`, `confusion` and, for tags of entities, `entities`.
void add_class_report(const ModelDescription& model, const ClassMetrics& metrics, Report& report);

}  // namespace quadgate::apps
