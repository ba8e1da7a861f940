#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/buffer.h"
#include "engine/model/gradient.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/loss.h"
#include "engine/native/done.h"
#include "engine/native/head_weights.h"
#include "engine/native/row_losses.h"
#include "engine/native/row_view.h"
#include "engine/native/stack.h"
#include "engine/native/workers.h"
#include "engine/threads/step_plan.h"

namespace quadgate::native {

/// The head of a model with many classes at every step, such as a language model, and its
/// cross-entropy. It stands between the forward and the backward pass of the stack: all cores take
/// the packed rows through it together, a block of rows at a time, whose logits become gradients
/// that are used up before the next block. So no array [rows, classes] is ever whole, and the
/// weight comes from memory once a block rather than once for the few rows of each core's
/// sequences. The logits of a block lie in panels of classes, as the products make and read them:
///
///     panel 0: row 0 | class 0 .. w - 1 |   row 1 | class 0 .. w - 1 |   ...
///     panel 1: row 0 | class w .. 2 w - 1 | ...
///
/// In bf16 the products are those of rounded numbers. Logits and losses are floats; their gradients
/// are rounded where they lie, and fill half of each row of a panel.
class VocabularyHead {
 public:
  /// Whether a model has such a head.
  static bool fits(const ModelConfig& model) noexcept;

  VocabularyHead(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
                 GradientBuffer& gradient);

  /// Tasks that take over changed weights. The head must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks) { weights_.add_pack_tasks(tasks); }
  /// Takes over the labels of the work's sequences.
  void load_labels(const WorkRange& work) { losses_.load(work); }

  using Forward = Everywhere<Stack::Forward>;
  /// The loss of what came out of the stack, y, with loaded labels.
  Metrics evaluate(const Forward& forward, const RowView& y, Workers& workers);
  /// The same, the derivative of y, and the gradients of the weights, of which `listener` hears
  /// unless it is null. The pass has a `gradient_scale`.
  Metrics differentiate(const Forward& forward, const RowView& y, const RowView& dy,
                        Workers& workers, const GradientListener* listener);
  /// Copies the outputs to their place in Network::predict's.
  void predict(const Forward& forward, const RowView& y, Workers& workers,
               std::span<float> outputs);

  /// Of the gradients of the last pass. If the weight is tied, later tasks have its squares.
  double sum_of_squares() const noexcept;
  /// Those that a listener hears of, one as often as it does.
  std::vector<FlatRange> gradient_ranges() const;
  /// What `differentiate` shares among the cores.
  std::vector<StepPlan::Tasks> plan(const Pass& pass, Workers& workers) const;

 private:
  /// Each block reads and writes the gradient of the whole weight, so fewer rows take more time and
  /// more take more memory.
  static constexpr std::int64_t kBlockRows = 240;

  /// Packed rows that go through the head together.
  struct Block {
    std::int64_t first = 0;
    std::int64_t rows = 0;
    bool is_last = false;
  };
  /// Of a product: some rows and panels.
  struct Piece {
    std::int64_t row = 0;
    std::int64_t rows = 0;
    std::int64_t first_panel = 0;
    std::int64_t last_panel = 0;
  };
  /// A block's product with the panels of a matrix, in pieces that are a core's task each.
  struct Pieces {
    std::int64_t all_rows = 0, rows = 0;      // of the block, of a piece
    std::int64_t all_panels = 0, panels = 0;  // of the matrix, of a piece

    std::int64_t count() const noexcept;
    Piece at(std::int64_t index) const noexcept;
  };
  /// A part of the gradient, to which a core adds what a block gives.
  struct GradientPart {
    HeadWeights::Part part;
    std::vector<FlatRange> writes;
    double square = 0;
  };
  /// The gradients of a panel of logits, for sums over the rows: a line has those of a row, or, in
  /// bf16, pairs of those of two rows.
  struct Lines {
    const float* data;
    std::int64_t width;
  };
  template <typename Body>
  void for_each_block(const Pass& pass, Body body) const {
    const std::int64_t rows = pass.steps.size();
    for (std::int64_t first = 0; first < rows; first += block_rows_) {
      body(Block{first, std::min(block_rows_, rows - first), first + block_rows_ >= rows});
    }
  }
  Pieces pieces_of_logits(const Block& block, const Workers& workers) const noexcept;
  Pieces pieces_of_d_features(const Block& block, const Workers& workers) const noexcept;
  /// Rows that are rounded, or become losses, in one task.
  std::int64_t rows_together() const noexcept { return weights_.kernels().lanes; }
  RowView round(const Block& block, const RowView& y, Workers& workers);
  void multiply(const Block& block, const RowView& y, Workers& workers);
  void lose(const Block& block, const Pass& pass, const RowView& y, Workers& workers);
  void lose_rows(const Block& block, const Pass& pass, std::int64_t row, std::int64_t count);
  void pack(const Block& block, const RowView& y, std::int64_t panel);
  void go_back(const Block& block, const RowView& dy, Workers& workers,
               const GradientListener* listener);
  void d_features(const Block& block, const Piece& piece, const RowView& dy);
  void add_gradient(const Block& block, GradientPart& gradient);
  void add_panel(const Block& block, const HeadWeights::Part& panel);
  void add_bias(const Block& block, const HeadWeights::Part& panel, const Lines& d_outputs);
  /// A row of a panel of the block's logits, or of their gradients.
  float* logits(std::int64_t panel, std::int64_t row) noexcept {
    return logits_.data() + panel * panel_size_ + row * weights_.width();
  }
  /// A panel of the block's rows of y.
  float* features(std::int64_t panel) noexcept { return features_.data() + panel * panel_size_; }

  Loss loss_;
  HeadWeights weights_;
  std::int64_t block_rows_;
  std::int64_t panel_size_;  // of a block
  Buffer logits_;
  Buffer features_;
  Buffer rounded_;  // in bf16: the block's rows of y
  RowLosses losses_;
  std::vector<GradientPart> parts_;
};

}  // namespace quadgate::native
