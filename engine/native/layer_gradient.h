#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/gate_array.h"
#include "engine/native/gradient_tile.h"
#include "engine/native/layer_plan.h"
#include "engine/native/layer_weights.h"
#include "engine/native/recurrent_layer.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"

namespace quadgate::native {

/// The gradients of the weights of one direction of a recurrent layer. A task computes a tile of
/// W_ih or W_hh: the rows of some gate panels, in each of their slots, and some columns. With two
/// panels a tile and an LSTM:
///
///                        | columns 0 .. w - 1 | columns w .. 2 w - 1 |
///     panels 0, 1: i     | tile 0             | tile 2               |
///     panels 2, 3: i     | tile 1             | tile 3               |
///     panels 0, 1: f     | tile 0             | tile 2               |
///     ...
///
/// A tile of W_hh's first columns has the biases of its panels as well.
class LayerGradient {
 public:
  /// `weights`, `gates` and `buffer` must outlive the gradient.
  LayerGradient(const LayerWeights& weights, const GateArray& gates, const LayerPlan& plan,
                const Parameters& parameters, GradientBuffer& buffer);

  using Sides = RecurrentLayer::Sides;
  /// Tasks that compute the gradients. The gradient must stay where it is.
  void add_tasks(TaskList& tasks, const Sides& sides) const;

 private:
  struct Matrix {
    const CellKernels::Slots& slots;
    bool recurrent = false;
    std::int64_t columns = 0;
    std::int64_t parts = 1;  // equal pieces of the columns, where their pairs lie apart
    FlatRange weight;        // [gates * H, columns]
    FlatRange bias = {};     // [gates * H], if there is one
  };
  struct Tile {
    Team::Member::Share panels;
    std::int64_t part;
    std::int64_t first_column;  // in the part
    std::int64_t columns;
  };

  void add_tasks(TaskList& tasks, const Matrix& matrix, const Sides& sides) const;
  std::vector<FlatRange> writes(const Matrix& matrix, const Tile& tile) const;
  bool has_biases(const Matrix& matrix, const Tile& tile) const noexcept {
    return matrix.bias.size > 0 && matrix.recurrent && tile.part == 0 && tile.first_column == 0;
  }
  std::int64_t tile_width(const Matrix& matrix) const noexcept;
  std::int64_t tiles_across(const Matrix& matrix) const noexcept;
  std::int64_t tile_panels() const noexcept;
  void compute(const Matrix& matrix, const Tile& tile, const Pass& pass, const LayerRows& right,
               double* squares) const;
  std::span<GradientTile::Block> blocks(const Matrix& matrix, const Tile& tile,
                                        std::span<GradientTile::Block> blocks) const noexcept;
  double drop(const DropoutKey& key, const Tile& tile,
              const GradientTile::Block& block) const noexcept;
  double bias_gradient(std::int64_t panel, const float* sums) const;
  double scatter_bias(const Matrix& matrix, std::int64_t panel, const float* sums) const;

  const LayerWeights& weights_;
  const GateArray& gates_;
  const GatePanels& panels_;
  const CellKernels& cell_;
  std::int64_t most_columns_;  // of a tile
  std::int64_t capacity_;
  std::int64_t cores_;
  std::int64_t initial_rows_;
  std::int64_t layer_;
  bool reverse_;
  Matrix ih_, hh_;
  GradientBuffer& buffer_;
};

}  // namespace quadgate::native
