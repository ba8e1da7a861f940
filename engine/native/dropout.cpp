#include "engine/native/dropout.h"

#include <algorithm>
#include <cstddef>

namespace quadgate::native {

FeatureDropout::FeatureDropout(const Plan& plan)
    : dropout_(plan.p, plan.isa),
      multiply_(kernels::multiply_kernel(plan.isa)),
      locked_(plan.locked && dropout_.is_on()),
      layer_(plan.layer),
      width_(plan.width),
      masks_(locked_ ? static_cast<std::size_t>(plan.batch_size * plan.width) : 0) {}

void FeatureDropout::draw(const WorkRange& work) {
  if (!locked_ || !work.pass.drops()) return;
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    std::fill_n(mask(place), width_, 1.0F);
    dropout_.features(*work.pass.dropout, layer_, work.pass.steps.row_in_batch(place), 0,
                      {mask(place), static_cast<std::size_t>(width_)}, mask(place));
  }
}

void FeatureDropout::apply(const WorkRange& work, std::int64_t place, std::int64_t t,
                           const float* from, float* to) const noexcept {
  if (locked_) {
    return multiply_(width_, mask(place), from, to);
  }
  dropout_.features(*work.pass.dropout, layer_, work.pass.steps.row_in_batch(place), t,
                    {from, static_cast<std::size_t>(width_)}, to);
}

void FeatureDropout::apply(const WorkRange& work, const RowView& from, const RowView& to) const {
  if (!is_on() || !work.pass.drops()) return;
  const auto share = work.member.share(work.pass.steps.seq_len());
  for (std::int64_t t = share.begin; t < share.end; ++t) {
    const std::int64_t row = work.row(t);
    if (locked_) {
      multiply_(work.rows(t) * width_, mask(work.first), from.at(row), to.at(row));
      continue;
    }
    for (std::int64_t i = 0; i < work.rows(t); ++i) {
      apply(work, work.first + i, t, from.at(row + i), to.at(row + i));
    }
  }
  work.member.wait();
}

}  // namespace quadgate::native
