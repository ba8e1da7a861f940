// Dropout of the stack's features, and of its W_hh.

#include "engine/base/stopwatch.h"
#include "engine/native/stack.h"

namespace quadgate::native {

void Stack::plan_dropout(const StackPlan& plan) {
  for (std::int64_t l = 0; l <= config_.num_layers; ++l) {
    const bool is_input = l == 0;
    const bool is_output = l == config_.num_layers;
    dropouts_.emplace_back(
        FeatureDropout::Plan{.p = is_input ? config_.input_dropout
                                           : (is_output ? config_.output_dropout : config_.dropout),
                             .locked = config_.locked_dropout,
                             .layer = l - 1,
                             .width = is_input ? config_.input_size : config_.output_size(),
                             .batch_size = plan.batch_size,
                             .isa = plan.isa});
  }
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    const bool is_on = dropout_before(l + 1).is_on();
    const bool is_last = l + 1 == config_.num_layers;
    const std::int64_t rows = is_last ? steps_.initial_rows() + capacity_ : inner_rows();
    dropped_.push_back(is_on ? features(rows, directions_, config_.h_size()) : Features());
  }
}

void Stack::drop_output(const WorkRange& work, std::int64_t l) {
  const FeatureDropout& dropout = dropout_before(l + 1);
  if (!dropout.is_on() || !work.pass.drops()) return;
  const LayerRows to = input(l + 1, true, &work);
  dropout.apply(work, output(l, 0, &work).rows, to.rows);
  if (l + 1 < config_.num_layers) round(work, to, directions_);
}

/// Packs W_hh as the pass multiplies with it, unless it is so.
void Stack::sync_recurrent_weights(const Pass& pass, Workers& workers) {
  if (config_.weight_dropout == 0 || (!pass.drops() && has_plain_weights_)) return;
  const std::int64_t pieces = layers_.front()->recurrent_pieces();
  workers.in_turns(std::ssize(layers_) * pieces, [&](std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::optimizer);
    layers_[static_cast<std::size_t>(task / pieces)]->pack_recurrent(task % pieces, pass.dropout);
  });
  has_plain_weights_ = !pass.drops();
}

}  // namespace quadgate::native
