#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/phase_times.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/dropout_key.h"
#include "engine/model/gradient.h"
#include "engine/model/loss.h"
#include "engine/model/network_options.h"
#include "engine/model/recurrent_states.h"
#include "engine/threads/step_plan.h"
#include "kernels/base/isa.h"

namespace quadgate {

/// A model planned for batches of at most `batch_size` sequences of at most `seq_len` steps.
struct NetworkPlan {
  ModelConfig model;
  std::int64_t seq_len = 0;
  std::int64_t batch_size = 0;
  NetworkOptions options;
  kernels::Isa isa = kernels::active_isa();  ///< of all its kernels, whatever is active later
};

/// Returns whether weights in a range are there, which other ranks have updated, or, if it `waits`,
/// once they are. Cores call it at the same time. Null: all are there.
using WeightArrival = std::function<bool(const FlatRange& range, bool waits)>;

/// The passes of a network over a batch that fits the plan, as Network describes them.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual BackendKind kind() const noexcept = 0;
  /// Takes over changed weights into the layout of the kernels, before the next pass, or in it,
  /// each when it is needed and has come. `arrival` stays until that pass is over.
  virtual void pack(const WeightArrival& arrival) = 0;
  /// Changes the weights and takes them over, each piece while it is in a cache: calls `update` for
  /// ranges in which each parameter is once, of sparse `rows` those that are present.
  virtual void update(const RangeUpdate& update, const SparseRows& rows) = 0;
  virtual Metrics evaluate(const Batch& batch) = 0;
  virtual void predict(const Batch& batch, std::span<float> outputs) = 0;
  /// `gradient_scale` is 1 / the weight of the items that the loss is the mean of, 0 without any.
  /// `listener`, unless null, hears each of gradient_ranges() once.
  virtual Derivative differentiate(const Batch& batch, const DropoutKey& dropout,
                                   float gradient_scale, const GradientListener* listener) = 0;
  /// The ranges that tasks write to, one range as often as it has tasks. None: nobody can listen.
  virtual std::vector<FlatRange> gradient_ranges() const { return {}; }
  /// The ranges of weights for which a pass waits, in its order. None: it waits for all at once.
  virtual std::vector<FlatRange> awaited_ranges() const { return {}; }
  /// How the cores share a training step of a batch that fits the plan. None: it does not tell.
  virtual std::optional<StepPlan> step_plan(const Batch& /*batch*/) { return {}; }
  /// Where the gradient of each pass is.
  virtual std::span<const float> gradient_values() const noexcept = 0;
  /// With carries_states: where the next batch begins; else null.
  virtual RecurrentStates* carried_states() noexcept { return nullptr; }
  /// Where the cores spent their time so far.
  virtual PhaseTimes& phase_times() noexcept = 0;
};

}  // namespace quadgate
