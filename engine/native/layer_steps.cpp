#include "engine/native/layer_steps.h"

#include <algorithm>

#include "engine/base/ceil_div.h"

namespace quadgate::native {

LayerSteps::LayerSteps(const LayerWeights& weights, Projection* projection,
                       const RecurrentConfig& config, const LayerPlan& plan)
    : weights_(weights),
      cell_(weights.panels().cell),
      projection_(projection),
      reverse_(plan.reverse),
      keeps_all_(!plan.forward_only),
      initial_rows_(plan.initial_rows),
      hidden_size_(config.hidden_size),
      h_size_(config.h_size()),
      gates_(weights.panels(), plan),
      c_(cell_.has_cell_state
             ? floats(keeps_all_ ? plan.initial_rows + plan.capacity : plan.batch_size,
                      hidden_size_)
             : 0) {
  if (plan.forward_only) return;
  d_h_ = Buffer(floats(plan.batch_size, h_size_));
  if (cell_.has_cell_state) d_c_ = Buffer(floats(plan.batch_size, hidden_size_));
}

LayerSteps::Rows LayerSteps::going_on(const WorkRange& work, std::int64_t t) const noexcept {
  const std::int64_t count = std::min(work.rows(t), work.rows(before(t)));
  return {.count = count,
          .row = work.row(t),
          .before = count > 0 ? work.row(before(t)) : 0,
          .has_before = true,
          .place = work.first};
}

LayerSteps::Rows LayerSteps::beginning(const WorkRange& work, std::int64_t t) const noexcept {
  const std::int64_t old = std::min(work.rows(t), work.rows(before(t)));
  return {.count = work.rows(t) - old,
          .row = work.row(t) + old,
          .before = work.first + old - initial_rows_,
          .has_before = initial_rows_ > 0,
          .place = work.first + old};
}

/// A member's gate panels. They hold the units of whole panels of d(h), or of d(m) where h is
/// projected. So the backward pass needs no one else's.
LayerSteps::Share LayerSteps::panels_of(const WorkRange& work) const noexcept {
  const std::int64_t together = cell_.width() / cell_.units;
  const Share share = work.member.share(ceil_div(hidden_size_, cell_.width()));
  return {share.begin * together, std::min(share.end * together, weights_.panels().count())};
}

/// A member's features of h, in whole panels.
LayerSteps::Share LayerSteps::features_of(const WorkRange& work) const noexcept {
  const Share panels = work.member.share(ceil_div(h_size_, cell_.width()));
  return {panels.begin * cell_.width(), std::min(panels.end * cell_.width(), h_size_)};
}

/// Which of its panels of W_hh a member takes as number i of step t. Few rows wait for the panels
/// rather than compute. So every other step goes backwards: it begins with the panels that the
/// caches still hold.
std::int64_t LayerSteps::serpentine(const Share& panels, std::int64_t i, std::int64_t t,
                                    std::int64_t rows) noexcept {
  constexpr std::int64_t kFewRows = 16;
  return rows > kFewRows || t % 2 == 0 ? i : panels.begin + panels.end - 1 - i;
}

}  // namespace quadgate::native
