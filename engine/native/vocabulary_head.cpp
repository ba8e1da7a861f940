#include "engine/native/vocabulary_head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"

namespace quadgate::native {
namespace {

using Start = kernels::Output::Start;

/// With fewer, logits stay in the caches of the core that goes through with its sequences.
constexpr std::int64_t kFewestClasses = 1000;

/// Each block reads and writes the gradient of the whole weight, so fewer rows take more time and
/// more take more memory.
constexpr std::int64_t kBlockRows = 240;

/// A piece of the derivative of y is so large that what it reads of the logits' gradients and of
/// the weight stays in the second-level cache for a while.
constexpr std::int64_t kFewestPieceRows = 40;
constexpr std::int64_t kPiecePanels = 8;
constexpr std::int64_t kPieceClasses = 256;

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

template <typename Body>
void VocabularyHead::for_each_block(const Pass& pass, Body body) const {
  const std::int64_t rows = pass.steps.size();
  for (std::int64_t first = 0; first < rows; first += block_rows_) {
    body(Block{first, std::min(block_rows_, rows - first), first + block_rows_ >= rows});
  }
}

/// Rows of a block that a task multiplies: those of a core, if they are enough.
std::int64_t VocabularyHead::piece_rows(const Block& block, const Workers& workers) {
  return std::max(kFewestPieceRows, ceil_div(block.rows, std::int64_t{workers.cores()}));
}

/// Computes the logits of a block.
void VocabularyHead::multiply(const Block& block, const RowView& y, Workers& workers) {
  const std::int64_t panels = weights_.forward().panels();
  const std::int64_t rows = piece_rows(block, workers);
  const std::array tasks{panels * ceil_div(block.rows, rows)};
  workers.in_equal_shares(tasks, [&](std::size_t, std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::head_and_loss);
    const std::int64_t row = task / panels * rows;
    weights_.multiply(task % panels, std::min(rows, block.rows - row),
                      {y.at(block.first + row), y.stride},
                      {logits(task % panels, row), weights_.width()});
  });
}

/// Computes the losses of a block. If the pass has a `gradient_scale`, the logits become their
/// gradients times it, and the rows of y are packed for those of the weight.
void VocabularyHead::lose(const Block& block, const Pass& pass, const RowView& y,
                          Workers& workers) {
  const std::int64_t together = weights_.kernels().lanes;
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
}

void VocabularyHead::pack(const Block& block, const RowView& y, std::int64_t panel) {
  weights_.kernels().gather({.rows = block.rows,
                             .index = nullptr,
                             .from = y.at(block.first) + weights_.backward().first_column(panel),
                             .from_stride = y.stride,
                             .columns = weights_.backward().columns_of(panel),
                             .to = features(panel)});
}

/// Computes what the gradients of a block's logits give: those of y and of the weights.
void VocabularyHead::go_back(const Block& block, const RowView& dy, Workers& workers,
                             const GradientListener* listener) {
  const std::int64_t panels = weights_.backward().panels();
  const std::int64_t across = ceil_div(panels, kPiecePanels);
  const std::int64_t rows = piece_rows(block, workers);
  const std::array tasks{across * ceil_div(block.rows, rows),
                         static_cast<std::int64_t>(parts_.size())};
  workers.in_equal_shares(tasks, [&](std::size_t kind, std::int64_t task, PhaseTimes& times) {
    if (kind == 0) {
      const Stopwatch stopwatch(times, Phase::head_and_loss);
      const std::int64_t row = task / across * rows;
      const std::int64_t panel = task % across * kPiecePanels;
      return d_features(
          block,
          {row, std::min(rows, block.rows - row), panel, std::min(panel + kPiecePanels, panels)},
          dy);
    }
    const Stopwatch stopwatch(times, Phase::weight_gradients);
    GradientPart& part = parts_[static_cast<std::size_t>(task)];
    add_gradient(block, part);
    if (listener == nullptr || !block.is_last) return;
    for (const FlatRange& range : part.writes) (*listener)(range);
  });
}

void VocabularyHead::d_features(const Block& block, const Piece& piece, const RowView& dy) {
  const std::int64_t width = weights_.width();
  for (std::int64_t first = 0; first < weights_.outputs(); first += kPieceClasses) {
    const kernels::Lhs d_outputs{.data = logits(first / width, piece.row),
                                 .row_stride = width,
                                 .step = 1,
                                 .run = width,
                                 .run_stride = panel_size_};
    for (std::int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
      weights_.multiply_back(panel, first, std::min(first + kPieceClasses, weights_.outputs()),
                             piece.rows, d_outputs, {dy.at(block.first + piece.row), dy.stride});
    }
  }
}

/// Adds the rows of a block to a part of the gradient, the rows of the first block to zeros.
void VocabularyHead::add_gradient(const Block& block, GradientPart& gradient) {
  const auto& kernels = weights_.kernels();
  const HeadWeights::Part& part = gradient.part;
  const PackedMatrix& across = weights_.backward();
  HeadWeights::Part panel{part.output, 0, 0, part.features};
  for (; panel.output < part.output + part.outputs; panel.output += weights_.width()) {
    panel.outputs = std::min(weights_.width(), weights_.outputs() - panel.output);
    const float* const d_outputs = logits(panel.output / weights_.width(), 0);
    for (std::int64_t p = 0; p < across.panels(); ++p) {
      kernels.product(panel.outputs, block.rows,
                      {.data = d_outputs,
                       .row_stride = 1,
                       .step = weights_.width(),
                       .run = block.rows,
                       .run_stride = 0},
                      features(p),
                      {.data = weights_.weight_gradient(panel) + across.first_column(p),
                       .stride = part.features,
                       .columns = across.columns_of(p),
                       .start = block.first == 0 ? Start::zero : Start::add,
                       .bias = nullptr});
    }
    add_bias(block, panel);
  }
  if (!block.is_last) return;
  gradient.square =
      kernels.sum_of_squares(1, part.outputs, weights_.bias_gradient(part), part.outputs);
  if (weights_.tied()) return;
  gradient.square += kernels.sum_of_squares(part.outputs, part.features,
                                            weights_.weight_gradient(part), part.features);
}

/// The product of a row of ones with a panel of gradients.
void VocabularyHead::add_bias(const Block& block, const HeadWeights::Part& panel) {
  constexpr std::size_t kWidest = 64;
  constexpr float kOne = 1;
  std::array<float, kWidest> sums{};
  float* const bias = weights_.bias_gradient(panel);
  if (block.first > 0) std::copy_n(bias, panel.outputs, sums.data());
  weights_.kernels().product(
      1, block.rows,
      {.data = &kOne, .row_stride = 0, .step = 0, .run = block.rows, .run_stride = 0},
      logits(panel.output / weights_.width(), 0),
      {.data = sums.data(),
       .stride = 0,
       .columns = weights_.width(),
       .start = Start::add,
       .bias = nullptr});
  std::copy_n(sums.data(), panel.outputs, bias);
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
      const std::int64_t t = pass.steps.step_of(block.first + row);
      const std::int64_t place = block.first + row - pass.steps.offset_at(t);
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
