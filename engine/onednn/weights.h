#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/dropout.h"
#include "engine/model/parameters.h"
#include "engine/native/layer_plan.h"
#include "engine/onednn/primitives.h"

namespace quadgate::onednn {

/// The weights of one direction of a layer in the layouts that oneDNN prefers, for all slices, and
/// the dropout of W_hh.
class Weights {
 public:
  /// `primitives` and `parameters` must outlive the weights.
  Weights(const RecurrentConfig& config, const native::LayerPlan& plan, Primitives& primitives,
          const Parameters& parameters);

  /// See native::RecurrentLayer. A piece is a gate.
  void add_input_pack_tasks(std::vector<PackTask>& tasks);
  void add_recurrent_pack_tasks(std::vector<PackTask>& tasks);
  void pack_recurrent(std::int64_t gate, const DropoutKey* dropout);

  const float* packed(Primitives::Weight weight) const noexcept;
  const float* bias() const noexcept { return bias_.data(); }
  bool has_bias() const noexcept { return !biases_.empty(); }

  /// Whether W_hh is dropped in training.
  bool drops_recurrent() const noexcept { return dropout_.is_on(); }
  /// Drops values in a row of W_hh, or of its gradient, from `column` on. `to` may be `from`.
  void drop(const DropoutKey& key, std::int64_t row, std::int64_t column,
            std::span<const float> from, float* to) const noexcept {
    dropout_.weights(key, layer_, direction_, row, column, from, to);
  }

 private:
  using Weight = Primitives::Weight;
  /// One of PyTorch's two weights.
  struct Matrix {
    ParameterSlice slice;
    const float* values;
    std::int64_t columns;
    std::array<Weight, 2> packed;  // forward and back
  };
  Matrix matrix(const std::string& name, const native::LayerPlan& plan,
                const Parameters& parameters, std::array<Weight, 2> packed) const;
  void add_pack_tasks(const Matrix& matrix, std::vector<PackTask>& tasks);
  void pack(const Matrix& matrix, std::int64_t gate, const float* values);
  void pack_bias();
  /// The gate's first row in PyTorch's weights and biases.
  std::int64_t row_of(std::int64_t gate) const noexcept {
    return gate_order(cell_)[static_cast<std::size_t>(gate)] * hidden_size_;
  }
  std::int64_t gates() const noexcept {
    return static_cast<std::int64_t>(gate_order(cell_).size());
  }
  Buffer& copy(Weight weight) noexcept { return copies_[static_cast<std::size_t>(weight)]; }

  Primitives& primitives_;
  Cell cell_;
  std::int64_t hidden_size_;
  std::int64_t layer_;
  std::int64_t direction_;
  bool packs_backward_;
  Dropout dropout_;
  Matrix ih_, hh_;
  std::vector<ParameterSlice> biases_;  // two or none
  const float* bias_ih_ = nullptr;
  const float* bias_hh_ = nullptr;
  std::array<Buffer, 4> copies_;  // of each Weight, unless oneDNN reads PyTorch's
  Buffer bias_;
  Buffer dropped_hh_;  // [gates * H, H], with weight_dropout
};

}  // namespace quadgate::onednn
