#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"
#include "engine/native/vocabulary_head.h"

namespace quadgate::native {
namespace {

using Start = kernels::Output::Start;

/// So many of a piece of the derivative of y that what it reads of the logits' gradients and of the
/// weight stays in the second-level cache for a while.
constexpr std::int64_t kPieceClasses = 256;

constexpr std::int64_t kWidest = 64;  // panel

}  // namespace

/// Computes what the gradients of a block's logits give: those of y and of the weights.
void VocabularyHead::go_back(const Block& block, const RowView& dy, Workers& workers,
                             const GradientListener* listener) {
  const Pieces pieces = pieces_of_d_features(block, workers);
  const std::array tasks{pieces.count(), std::ssize(parts_)};
  workers.in_equal_shares(tasks, [&](std::size_t kind, std::int64_t task, PhaseTimes& times) {
    if (kind == 0) {
      const Stopwatch stopwatch(times, Phase::head_and_loss);
      return d_features(block, pieces.at(task), dy);
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
                                 .run = weights_.terms(width),
                                 .run_stride = panel_size_};
    for (std::int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
      weights_.multiply_back(panel, first, std::min(first + kPieceClasses, weights_.outputs()),
                             piece.rows, d_outputs, {dy.at(block.first + piece.row), dy.stride});
    }
  }
}

/// Adds the rows of a block to a part of the gradient, the rows of the first block to zeros.
void VocabularyHead::add_gradient(const Block& block, GradientPart& gradient) {
  const HeadWeights::Part& part = gradient.part;
  HeadWeights::Part panel{part.output, 0, 0, part.features};
  for (; panel.output < part.output + part.outputs; panel.output += weights_.width()) {
    panel.outputs = std::min(weights_.width(), weights_.outputs() - panel.output);
    add_panel(block, panel);
  }
  if (!block.is_last) return;
  const auto sum_of_squares = weights_.kernels().sum_of_squares;
  gradient.square = sum_of_squares(1, part.outputs, weights_.bias_gradient(part), part.outputs);
  if (weights_.tied()) return;
  gradient.square +=
      sum_of_squares(part.outputs, part.features, weights_.weight_gradient(part), part.features);
}

void VocabularyHead::add_panel(const Block& block, const HeadWeights::Part& panel) {
  const auto& kernels = weights_.kernels();
  const PackedMatrix& across = weights_.backward();
  const std::int64_t depth = weights_.terms(block.rows);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): in bf16 it is written to
  alignas(64) std::array<float, kBlockRows / 2 * kWidest> pairs;
  Lines d_outputs{logits(panel.output / weights_.width(), 0), weights_.width()};
  if (weights_.rounds()) {
    kernels.interleave({.rows = block.rows,
                        .index = nullptr,
                        .from = d_outputs.data,
                        .from_stride = weights_.width(),
                        .columns = panel.outputs,
                        .to = pairs.data()});
    d_outputs = {pairs.data(), ceil_div(panel.outputs, kernels.lanes) * kernels.lanes};
  }
  for (std::int64_t p = 0; p < across.panels(); ++p) {
    kernels.product(panel.outputs, depth,
                    {.data = d_outputs.data,
                     .row_stride = 1,
                     .step = d_outputs.width,
                     .run = depth,
                     .run_stride = 0},
                    features(p),
                    {.data = weights_.weight_gradient(panel) + across.first_column(p),
                     .stride = panel.features,
                     .columns = across.columns_of(p),
                     .start = block.first == 0 ? Start::zero : Start::add,
                     .bias = nullptr});
  }
  add_bias(block, panel, d_outputs);
}

/// The product of a row of ones with a panel of gradients.
void VocabularyHead::add_bias(const Block& block, const HeadWeights::Part& panel,
                              const Lines& d_outputs) {
  const float one = weights_.rounds() ? std::bit_cast<float>(0x3F803F80U) : 1.0F;  // or two
  const std::int64_t depth = weights_.terms(block.rows);
  std::array<float, kWidest> sums{};
  float* const bias = weights_.bias_gradient(panel);
  if (block.first > 0) std::copy_n(bias, panel.outputs, sums.data());
  weights_.kernels().product(
      1, depth, {.data = &one, .row_stride = 0, .step = 0, .run = depth, .run_stride = 0},
      d_outputs.data,
      {.data = sums.data(),
       .stride = 0,
       .columns = d_outputs.width,
       .start = Start::add,
       .bias = nullptr});
  std::copy_n(sums.data(), panel.outputs, bias);
}

}  // namespace quadgate::native
