#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/crf.h"
#include "engine/model/loss.h"

namespace quadgate {

/// The conditional random field of a model over whole batches, from the outputs of
/// Network::predict.
class CrfBatch {
 public:
  /// As of Crf.
  explicit CrfBatch(const Parameters& parameters) : crf_(parameters) {}

  /// The best tagging of each sequence, a tag a step.
  std::span<const std::int64_t> decode(const Batch& batch, std::span<const float> outputs);
  /// The probability of each tag at each step, [steps, N], whatever the others are.
  std::span<const float> probabilities(const Batch& batch, std::span<const float> outputs);
  /// The loss of the batch, whose labels are classes, and how many tags `decode` has right.
  Metrics metrics(const Batch& batch, std::span<const float> outputs);

 private:
  template <typename Body>
  void for_each_sequence(const Batch& batch, std::span<const float> outputs, Body body);

  Crf crf_;
  std::vector<std::int64_t> offsets_, tags_;
  std::vector<float> emissions_, alphas_, betas_, shifts_;
};

}  // namespace quadgate
