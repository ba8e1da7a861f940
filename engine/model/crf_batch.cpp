#include "engine/model/crf_batch.h"

#include <cstddef>
#include <numeric>

namespace quadgate {

/// Calls body(sequence, rows) for each sequence.
template <typename Body>
void CrfBatch::for_each_sequence(const Batch& batch, std::span<const float> outputs, Body body) {
  const auto steps = static_cast<std::size_t>(batch.steps());
  emissions_.assign(outputs.begin(), outputs.end());
  alphas_.resize(outputs.size());
  betas_.resize(outputs.size());
  shifts_.resize(steps);
  tags_.resize(steps);
  offsets_.resize(steps);
  std::iota(offsets_.begin(), offsets_.end(), 0);
  const Crf::Rows rows{emissions_.data(), alphas_.data(), betas_.data(), shifts_.data()};
  for (std::size_t row = 0; row + 1 < batch.offsets.size(); ++row) {
    const std::int64_t first = batch.offsets[row];
    body(Crf::Sequence{offsets_, first, batch.offsets[row + 1] - first}, rows);
  }
}

std::span<const std::int64_t> CrfBatch::decode(const Batch& batch, std::span<const float> outputs) {
  for_each_sequence(batch, outputs, [&](const Crf::Sequence& sequence, const Crf::Rows& rows) {
    crf_.decode(sequence, rows, tags_.data());
  });
  return tags_;
}

std::span<const float> CrfBatch::probabilities(const Batch& batch, std::span<const float> outputs) {
  for_each_sequence(batch, outputs, [&](const Crf::Sequence& sequence, const Crf::Rows& rows) {
    crf_.backward(crf_.forward(sequence, rows), 1);
  });
  return emissions_;
}

Metrics CrfBatch::metrics(const Batch& batch, std::span<const float> outputs) {
  Metrics metrics;
  for_each_sequence(batch, outputs, [&](const Crf::Sequence& sequence, const Crf::Rows& rows) {
    crf_.decode(sequence, rows, tags_.data());
    const double total = crf_.forward(sequence, rows).log_sum();
    metrics.loss += total - crf_.score(sequence, rows, batch.labels.data());
    for (std::int64_t t = 0; t < sequence.length; ++t) {
      const auto row = static_cast<std::size_t>(sequence.row(t));
      metrics.correct += tags_[row] == batch.labels[row] ? 1 : 0;
    }
  });
  metrics.items = batch.steps();
  metrics.weight = static_cast<double>(metrics.items);
  return metrics;
}

}  // namespace quadgate
