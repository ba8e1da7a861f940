#include "engine/native/vocabulary_head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"

namespace quadgate::native {
namespace {

/// With fewer, a core that goes through with its sequences is as fast (docs/performance.md).
constexpr std::int64_t kFewestClasses = 256;

}  // namespace

bool VocabularyHead::fits(const ModelConfig& model) noexcept {
  return model.task == Task::tagging && !model.crf && !model.normalization.is_on() &&
         model.output_size >= kFewestClasses;
}

VocabularyHead::VocabularyHead(const NetworkPlan& plan, const CellKernels& cell,
                               const Parameters& parameters, GradientBuffer& gradient)
    : loss_(plan.model),
      weights_(plan, cell, parameters, gradient),
      block_rows_(std::min(kBlockRows, plan.batch_size * plan.seq_len)),
      panel_size_(block_rows_ * weights_.width()),
      logits_(floats(weights_.forward().panels(), panel_size_)),
      features_(floats(weights_.backward().panels(), panel_size_)),
      rounded_(weights_.rounds() ? floats(block_rows_, weights_.terms(weights_.features())) : 0),
      losses_(true, plan.batch_size * plan.seq_len) {
  if (plan.options.forward_only) return;
  constexpr std::int64_t kTasks = 64;  // at least, before tasks become larger
  constexpr std::int64_t kMostInPart = 4;
  const std::int64_t outputs =
      weights_.width() *
      std::clamp<std::int64_t>(weights_.forward().panels() / kTasks, 1, kMostInPart);
  for (std::int64_t output = 0; output < weights_.outputs(); output += outputs) {
    const HeadWeights::Part part{output, std::min(outputs, weights_.outputs() - output), 0,
                                 weights_.features()};
    parts_.push_back({part, weights_.ranges(part)});
  }
}

/// The rows of a block of y as the products read them: in bf16 rounded, in pairs of neighbours.
RowView VocabularyHead::round(const Block& block, const RowView& y, Workers& workers) {
  const RowView floats{y.at(block.first), y.stride};
  if (!weights_.rounds()) return floats;
  const RowView pairs{rounded_.data(), weights_.forward().depth()};
  const std::int64_t together = rows_together();
  const std::array tasks{ceil_div(block.rows, together)};
  workers.in_equal_shares(tasks, [&](std::size_t, std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::head_and_loss);
    const std::int64_t row = task * together;
    weights_.kernels().round_rows({.rows = std::min(together, block.rows - row),
                                   .columns = weights_.features(),
                                   .from = floats.at(row),
                                   .from_stride = floats.stride,
                                   .to = pairs.at(row),
                                   .to_stride = pairs.stride});
  });
  return pairs;
}

/// Computes the logits of a block.
void VocabularyHead::multiply(const Block& block, const RowView& y, Workers& workers) {
  const RowView left = round(block, y, workers);
  const Pieces pieces = pieces_of_logits(block, workers);
  const std::array tasks{pieces.count()};
  workers.in_equal_shares(tasks, [&](std::size_t, std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::head_and_loss);
    const Piece piece = pieces.at(task);
    weights_.multiply(piece.first_panel, piece.rows, {left.at(piece.row), left.stride},
                      {logits(piece.first_panel, piece.row), weights_.width()});
  });
}

/// Computes the losses of a block. If the pass has a `gradient_scale`, the logits become their
/// gradients times it, and the rows of y are packed for those of the weight.
void VocabularyHead::lose(const Block& block, const Pass& pass, const RowView& y,
                          Workers& workers) {
  const std::int64_t together = rows_together();
  const std::array tasks{ceil_div(block.rows, together),
                         pass.gradient_scale ? weights_.backward().panels() : 0};
  workers.in_equal_shares(tasks, [&](std::size_t kind, std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::head_and_loss);
    if (kind == 1) return pack(block, y, task);
    const std::int64_t row = task * together;
    lose_rows(block, pass, row, std::min(together, block.rows - row));
  });
}

void VocabularyHead::lose_rows(const Block& block, const Pass& pass, std::int64_t row,
                               std::int64_t count) {
  Loss::Rows rows = losses_.rows(block.first + row, count, logits(0, row));
  rows.panel_width = weights_.width();
  rows.panel_stride = panel_size_;
  loss_.run(rows, pass.gradient_scale.value_or(0), pass.gradient_scale ? logits(0, row) : nullptr);
  if (!pass.gradient_scale || !weights_.rounds()) return;
  for (std::int64_t panel = 0; panel < weights_.forward().panels(); ++panel) {
    weights_.kernels().round_rows({.rows = count,
                                   .columns = weights_.forward().columns_of(panel),
                                   .from = logits(panel, row),
                                   .from_stride = weights_.width(),
                                   .to = logits(panel, row),
                                   .to_stride = weights_.width()});
  }
}

void VocabularyHead::pack(const Block& block, const RowView& y, std::int64_t panel) {
  weights_.kernels().gather({.rows = block.rows,
                             .index = nullptr,
                             .from = y.at(block.first) + weights_.backward().first_column(panel),
                             .from_stride = y.stride,
                             .columns = weights_.backward().columns_of(panel),
                             .to = features(panel)});
}

Metrics VocabularyHead::evaluate(const Forward& forward, const RowView& y, Workers& workers) {
  const Pass& pass = forward.pass();
  for_each_block(pass, [&](const Block& block) {
    multiply(block, y, workers);
    lose(block, pass, y, workers);
  });
  return loss_.sum(losses_.rows(0, pass.steps.size(), nullptr));
}

Metrics VocabularyHead::differentiate(const Forward& forward, const RowView& y, const RowView& dy,
                                      Workers& workers, const GradientListener* listener) {
  const Pass& pass = forward.pass();
  for_each_block(pass, [&](const Block& block) {
    multiply(block, y, workers);
    lose(block, pass, y, workers);
    go_back(block, dy, workers, listener);
  });
  return loss_.sum(losses_.rows(0, pass.steps.size(), nullptr));
}

void VocabularyHead::predict(const Forward& forward, const RowView& y, Workers& workers,
                             std::span<float> outputs) {
  const Pass& pass = forward.pass();
  for_each_block(pass, [&](const Block& block) {
    multiply(block, y, workers);
    workers.in_turns(block.rows, [&](std::int64_t row, PhaseTimes& times) {
      const Stopwatch stopwatch(times, Phase::head_and_loss);
      const auto [place, t] = pass.steps.position_of(block.first + row);
      const auto in_batch = static_cast<std::size_t>(pass.steps.row_in_batch(place));
      float* const to = outputs.data() + (pass.batch.offsets[in_batch] + t) * weights_.outputs();
      for (std::int64_t panel = 0; panel < weights_.forward().panels(); ++panel) {
        std::copy_n(logits(panel, row), weights_.forward().columns_of(panel),
                    to + weights_.forward().first_column(panel));
      }
    });
  });
}

double VocabularyHead::sum_of_squares() const noexcept {
  return std::accumulate(parts_.begin(), parts_.end(), 0.0,
                         [](double sum, const GradientPart& part) { return sum + part.square; });
}

std::vector<FlatRange> VocabularyHead::gradient_ranges() const {
  std::vector<FlatRange> ranges;
  for (const GradientPart& part : parts_) {
    ranges.insert(ranges.end(), part.writes.begin(), part.writes.end());
  }
  return ranges;
}

}  // namespace quadgate::native
