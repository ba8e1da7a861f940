#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"

namespace quadgate {

namespace kernels {
enum class Isa : std::uint8_t;
}

/// Sums over the items of one or many batches: add them up, then divide.
///
/// An item is a target that counts: the class of a sequence (classification), the class of a step
/// (tagging) or one of a sequence's O values (regression), whose errors are those of its point
/// forecast (LossConfig::point).
struct Metrics {
  std::int64_t items = 0;
  double loss = 0;  ///< sum of the losses (cross-entropies in nats)
  /// The mean divides by it: the sum of the items' class weights, the quantiles of all items, or
  /// items.
  double weight = 0;
  double squared_error = 0;   ///< regression only
  double absolute_error = 0;  ///< regression only
  std::int64_t correct = 0;   ///< classification and tagging only

  Metrics& operator+=(const Metrics& other) noexcept;
  /// NaN without items, as PyTorch has it.
  double mean_loss() const noexcept { return loss / weight; }
  double accuracy() const noexcept {
    return static_cast<double>(correct) / static_cast<double>(items);
  }
  double mean_squared_error() const noexcept { return squared_error / static_cast<double>(items); }
  double mean_absolute_error() const noexcept {
    return absolute_error / static_cast<double>(items);
  }
};

/// The loss of a model.
class Loss {
 public:
  /// The config must be valid. The instruction set is the one that is active now.
  explicit Loss(const ModelConfig& model);

  /// Throws InvalidArgument if the batch lacks the targets of the task, DataError if a label is
  /// neither a class nor ignore_index, with a crf if it is none, or if a target of bce lies outside
  /// of 0 to 1.
  void expect_targets(const Batch& batch) const;
  /// The batch's Metrics::weight.
  double weight(const Batch& batch) const noexcept;

  /// Rows of logits [rows, classes] with a label each, and where their results go. The logits may
  /// lie in panels of classes, [rows, width] each, `panel_stride` floats apart.
  struct Rows {
    std::int64_t rows = 0;
    const float* logits = nullptr;
    const std::int64_t* labels = nullptr;
    float* losses = nullptr;              ///< [rows]
    std::int64_t* predictions = nullptr;  ///< [rows]
    std::int64_t panel_width = 0;         ///< whole vectors; 0: no panels
    std::int64_t panel_stride = 0;
  };
  /// Computes cross-entropies. `gradient`, unless null, gets their gradient times `gradient_scale`,
  /// laid out as the logits are, with zeros in ignored rows. It may be the logits themselves.
  void run(const Rows& rows, float gradient_scale, float* gradient) const noexcept;
  /// Sums up the results of `run`.
  Metrics sum(const Rows& rows) const noexcept;

  /// `run` and `sum` at once.
  Metrics of_labels(const float* logits, std::span<const std::int64_t> labels, float gradient_scale,
                    float* gradient) const noexcept;
  /// The loss of `outputs` against `targets`, element by element, or with outputs_per_target of the
  /// outputs for each. `gradient` is as in `run`.
  Metrics of_values(std::span<const float> outputs, std::span<const float> targets,
                    float gradient_scale, float* gradient) const noexcept;
  /// The loss of a batch, from the outputs of Network::predict. Not with a crf, which Crf scores.
  Metrics of_batch(const Batch& batch, std::span<const float> outputs) const noexcept;

  /// What a regression model predicts: an output of the head, its sigmoid for bce, or a scale or df
  /// (see distribution_of). `number` is that of the output among those of its target.
  float value(float output, std::int64_t number) const noexcept;
  /// The point forecast of each target.
  std::vector<float> points(std::span<const float> outputs) const;

 private:
  template <typename Slopes>
  Metrics sum_targets(std::span<const float> outputs, std::span<const float> targets,
                      float gradient_scale, float* gradient, Slopes slopes_of) const noexcept;
  Metrics of_quantiles(std::span<const float> outputs, std::span<const float> targets,
                       float gradient_scale, float* gradient) const noexcept;
  Metrics of_distributions(std::span<const float> outputs, std::span<const float> targets,
                           float gradient_scale, float* gradient) const noexcept;
  /// How many of the labels count, and the sum of their class weights.
  std::int64_t items(std::span<const std::int64_t> labels) const noexcept;
  double weight(std::span<const std::int64_t> labels) const noexcept;

  kernels::Isa isa_;
  LossConfig config_;
  LossKind kind_;
  Task task_;
  bool crf_;
  std::int64_t output_size_;
  std::vector<float> label_weights_;  // [classes]: of the label in a target; empty: 1
  std::vector<float> smoothing_;      // [classes]: of every class in a target; empty: 0
  float smoothing_sum_ = 0;
};

}  // namespace quadgate
