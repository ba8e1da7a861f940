#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/dropout.h"
#include "engine/model/parameters.h"
#include "engine/native/gate_panels.h"
#include "engine/native/layer_plan.h"
#include "engine/native/packed_weight.h"

namespace quadgate::native {

/// The weights of one direction of a recurrent layer in the panels of the kernels, and their
/// dropout.
class LayerWeights {
 public:
  /// `parameters` must outlive the weights.
  LayerWeights(const CellKernels& cell, const RecurrentConfig& config, const LayerPlan& plan,
               const Parameters& parameters);

  const GatePanels& panels() const noexcept { return panels_; }
  const PackedWeight& ih() const noexcept { return ih_; }
  const PackedWeight& hh() const noexcept { return hh_; }
  bool has_bias() const noexcept { return has_bias_; }
  /// The sum of both biases in a row of a panel. Without biases it is zeros.
  const float* bias(std::int64_t panel) const noexcept {
    return bias_.data() + panel * panels_.cell.width();
  }

  /// Tasks that take over changed weights: W_ih and the biases. The weights must stay where they
  /// are.
  void add_input_pack_tasks(std::vector<PackTask>& tasks);
  /// Likewise W_hh; with weight_dropout, these copy nothing.
  void add_recurrent_pack_tasks(std::vector<PackTask>& tasks);
  /// With weight_dropout: packs a piece of W_hh, dropped if there is a key.
  void pack_recurrent(std::int64_t piece, const DropoutKey* dropout);

  /// Whether W_hh is dropped in training.
  bool drops_recurrent() const noexcept { return dropout_.is_on(); }
  /// Drops values in a row of W_hh, or of its gradient, from `column` on. `to` may be `from`.
  void drop(const DropoutKey& key, std::int64_t row, std::int64_t column,
            std::span<const float> from, float* to) const noexcept {
    dropout_.weights(key, layer_, direction_, row, column, from, to);
  }

 private:
  struct Bias {
    const float* const* values = nullptr;  // their address
    FlatRange range;                       // in the flat arrays
  };

  void pack_bias();

  GatePanels panels_;
  std::int64_t layer_;
  std::int64_t direction_;
  PackedWeight ih_, hh_;
  bool has_bias_;
  Bias bias_ih_, bias_hh_;  // of the parameters
  Buffer bias_;             // [panels, width]: where the gates start
  Dropout dropout_;
  Buffer dropped_hh_;  // [gates * H, features of h], with weight_dropout
};

}  // namespace quadgate::native
