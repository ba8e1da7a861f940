#include <algorithm>
#include <cstddef>

#include "engine/native/stack.h"

namespace quadgate::native {
namespace {

/// Copies values of RecurrentStates, or zeros, to the stack's. `to` may be null.
void copy_in(const std::vector<float>* from, std::int64_t at, std::int64_t size, float* to) {
  if (to == nullptr) return;
  from == nullptr ? static_cast<void>(std::fill_n(to, size, 0.0F))
                  : static_cast<void>(std::copy_n(from->data() + at * size, size, to));
}

/// Copies values of the stack's, if it has them, to RecurrentStates.
void copy_out(const float* from, std::int64_t size, std::int64_t at, std::vector<float>& to) {
  if (from != nullptr) std::copy_n(from, size, to.data() + at * size);
}

}  // namespace

/// Calls body(part, place, index in RecurrentStates) for each part and each sequence of the
/// member's share. A part is a direction of a layer.
template <typename Body>
void Stack::for_each_state(const WorkRange& work, Body body) {
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t part = 0; part < std::ssize(layers_); ++part) {
    for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
      body(part, place, part * work.pass.steps.rows() + work.pass.steps.row_in_batch(place));
    }
  }
}

void Stack::load_states(const Loaded& loaded, const RecurrentStates* states) {
  const WorkRange& work = loaded.work();
  const std::int64_t h_size = config_.h_size();
  for_each_state(work, [&](std::int64_t part, std::int64_t place, std::int64_t at) {
    const LayerRows y = output(part / directions_, part % directions_);
    const std::int64_t row = place - steps_.initial_rows();
    copy_in(states == nullptr ? nullptr : &states->h, at, h_size, y.rows.at(row));
    copy_in(states == nullptr ? nullptr : &states->c, at, config_.hidden_size,
            layers_[static_cast<std::size_t>(part)]->c(row, place));
    if (precision_ == Precision::bf16) {
      round_rows_({.rows = 1,
                   .columns = h_size,
                   .from = y.rows.at(row),
                   .from_stride = 0,
                   .to = y.pairs.at(row),
                   .to_stride = 0});
    }
  });
  work.member.wait();
}

void Stack::store_states(const Forward& forward, RecurrentStates& states) {
  const WorkRange& work = forward.work();
  for_each_state(work, [&](std::int64_t part, std::int64_t place, std::int64_t at) {
    const std::int64_t direction = part % directions_;
    const std::int64_t last = direction == 0 ? work.pass.steps.length(place) - 1 : 0;
    const std::int64_t row = work.pass.steps.row(place, last);
    copy_out(output(part / directions_, direction).rows.at(row), config_.h_size(), at, states.h);
    copy_out(layers_[static_cast<std::size_t>(part)]->c(row, place), config_.hidden_size, at,
             states.c);
  });
}

void Stack::load_d_states(const WorkRange& work, const RecurrentStates* d_states) {
  for_each_state(work, [&](std::int64_t part, std::int64_t place, std::int64_t at) {
    RecurrentLayer& layer = *layers_[static_cast<std::size_t>(part)];
    copy_in(d_states == nullptr ? nullptr : &d_states->h, at, config_.h_size(), layer.d_h(place));
    copy_in(d_states == nullptr ? nullptr : &d_states->c, at, config_.hidden_size,
            layer.d_c(place));
  });
  work.member.wait();
}

void Stack::store_d_states(const Backward& backward, RecurrentStates& d_states) {
  for_each_state(backward.work(), [&](std::int64_t part, std::int64_t place, std::int64_t at) {
    RecurrentLayer& layer = *layers_[static_cast<std::size_t>(part)];
    copy_out(layer.d_h(place), config_.h_size(), at, d_states.h);
    copy_out(layer.d_c(place), config_.hidden_size, at, d_states.c);
  });
}

}  // namespace quadgate::native
