// How the cores share a block.

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/base/ceil_div.h"
#include "engine/native/vocabulary_head.h"

namespace quadgate::native {
namespace {

/// With fewer, each of them reads the weight for too little work.
constexpr std::int64_t kFewestPieceRows = 40;

/// A piece of the derivative of y is at most so wide that what it reads of the weight and of the
/// logits' gradients stays in the second-level cache for a while.
constexpr std::int64_t kPiecePanels = 8;

/// The loss of a class takes as long as so many multiply-adds of the products, which are faster in
/// bf16 (docs/performance.md).
constexpr double kLossCost = 40;
constexpr double kLossCostInBf16 = 60;

/// Rows of a block that a task multiplies: those of a core, if they are enough.
std::int64_t piece_rows(std::int64_t rows, const Workers& workers) {
  return std::max(kFewestPieceRows, ceil_div(rows, std::int64_t{workers.cores()}));
}

StepPlan::Task head_task(std::int64_t rows, std::int64_t columns, double each) {
  return {static_cast<double>(rows * columns) * each, Phase::head_and_loss};
}

}  // namespace

std::int64_t VocabularyHead::Pieces::count() const noexcept {
  return ceil_div(all_rows, rows) * ceil_div(all_panels, panels);
}

VocabularyHead::Piece VocabularyHead::Pieces::at(std::int64_t index) const noexcept {
  const std::int64_t across = ceil_div(all_panels, panels);
  const std::int64_t row = index / across * rows;
  const std::int64_t panel = index % across * panels;
  return {row, std::min(rows, all_rows - row), panel, std::min(panel + panels, all_panels)};
}

VocabularyHead::Pieces VocabularyHead::pieces_of_logits(const Block& block,
                                                        const Workers& workers) const noexcept {
  return {block.rows, piece_rows(block.rows, workers), weights_.forward().panels(), 1};
}

VocabularyHead::Pieces VocabularyHead::pieces_of_d_features(const Block& block,
                                                            const Workers& workers) const noexcept {
  const std::int64_t rows = piece_rows(block.rows, workers);
  const std::int64_t panels = weights_.backward().panels();
  // Enough pieces for all cores, if there are so many panels.
  const std::int64_t of_a_core = panels * ceil_div(block.rows, rows) / workers.cores();
  return {block.rows, rows, panels, std::clamp<std::int64_t>(of_a_core, 1, kPiecePanels)};
}

std::vector<StepPlan::Tasks> VocabularyHead::plan(const Pass& pass, Workers& workers) const {
  const std::int64_t outputs = weights_.outputs();
  const std::int64_t features = weights_.features();
  const double loss = weights_.rounds() ? kLossCostInBf16 : kLossCost;
  std::vector<StepPlan::Tasks> plan;
  for_each_block(pass, [&](const Block& block) {
    const auto product = [&](const Piece& piece, std::int64_t columns, std::int64_t depth) {
      const std::int64_t end = std::min(piece.last_panel * weights_.width(), columns);
      return head_task(piece.rows, end - piece.first_panel * weights_.width(),
                       static_cast<double>(depth));
    };
    const std::int64_t groups = ceil_div(block.rows, rows_together());
    const auto group_rows = [&](std::int64_t group) {
      return std::min(rows_together(), block.rows - group * rows_together());
    };
    if (weights_.rounds()) {
      plan.push_back(
          workers.plan_equal_shares(std::array{groups}, [&](std::size_t, std::int64_t group) {
            return head_task(group_rows(group), features, 1);
          }));
    }
    const Pieces logits = pieces_of_logits(block, workers);
    plan.push_back(
        workers.plan_equal_shares(std::array{logits.count()}, [&](std::size_t, std::int64_t piece) {
          return product(logits.at(piece), outputs, features);
        }));
    plan.push_back(workers.plan_equal_shares(
        std::array{groups, weights_.backward().panels()}, [&](std::size_t kind, std::int64_t task) {
          return kind == 0 ? head_task(group_rows(task), outputs, loss)
                           : head_task(block.rows, weights_.backward().columns_of(task), 1);
        }));
    const Pieces d_features = pieces_of_d_features(block, workers);
    plan.push_back(workers.plan_equal_shares(
        std::array{d_features.count(), std::ssize(parts_)},
        [&](std::size_t kind, std::int64_t task) -> StepPlan::Task {
          if (kind == 0) return product(d_features.at(task), features, outputs);
          const HeadWeights::Part& part = parts_[static_cast<std::size_t>(task)].part;
          return {static_cast<double>(block.rows * part.outputs * part.features)};
        }));
  });
  return plan;
}

}  // namespace quadgate::native
