#include "io/graph/signal.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace quadgate::graph {
namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int32_t>::max();

/// One step of one direction that is the last one it computes is what its state is.
Signal settled(Signal signal) {
  const bool is_forward = signal.part->num_directions == 1 || signal.direction == 0;
  if ((signal.taken == Taken::last && is_forward) ||
      (signal.taken == Taken::first && signal.direction == 1)) {
    signal.taken = Taken::final;
  }
  return signal;
}

/// Numbers from `begin` up to `end` where they are known, with those counted from the end in their
/// place; where the size varies, -1 up to 0 is the last one.
std::pair<std::int64_t, std::int64_t> range(const Node& node, const Integer& size,
                                            const Integer& begin, const Integer& end) {
  const bool is_whole = end == size || (end.is_number() && end.number >= kEnd);
  if (!begin.is_number() || (!end.is_number() && !is_whole)) {
    refuse(node, "expected a range that is known, found one that varies");
  }
  if (!size.is_number()) {
    if (is_whole) return {begin.number, begin.number < 0 ? 0 : kEnd};
    return {begin.number, end.number};
  }
  const auto at = [&](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + size.number : index, 0, size.number);
  };
  return {at(begin.number), is_whole ? size.number : at(end.number)};
}

bool holds_all(const Signal& a, const Signal& b) {
  return a.part == b.part && a.taken == b.taken && a.direction == 0 && b.direction == 1;
}

}  // namespace

Dimension Part::all_features() const {
  Dimension all = directions;
  all.insert(all.end(), features.begin(), features.end());
  return all;
}

bool Signal::is_of_reverse_layer() const {
  const auto* const layer = part->as<RecurrentNode>();
  return layer != nullptr && layer->is_reverse;
}

Dimension Signal::all_features() const {
  return is_of_reverse_layer() ? part->features : part->all_features();
}

Signal select(const Axes& axes, const Node& node, Signal from, std::size_t axis,
              const Integer& first, const Integer& behind) {
  const Integer size = axes.size_of(from.dimensions[axis]);
  const auto [begin, end] = range(node, size, first, behind);
  if (begin == 0 && end == (size.is_number() ? size.number : kEnd)) return from;
  const Dimension dimension = axes.without_ones(from.dimensions[axis]);
  const Part& part = *from.part;
  const bool is_one = end - begin == 1;
  const bool is_last = is_one && (size.is_number() ? end == size.number : end == 0);
  // Any step of what may be the projection of a layer that is written out.
  const bool is_projection = part.as<Linear>() != nullptr && size.is_number();
  if (dimension == part.steps && is_one && (is_last || begin == 0 || is_projection)) {
    if (!part.lengths.empty())
      refuse(node, "expected the last state, found a step where lengths vary");
    from.taken = is_last ? Taken::last : begin == 0 ? Taken::first : Taken::one;
    from.step = size.is_number() ? begin : -1;
    from.dimensions[axis] = {};
  } else if (dimension == part.directions && is_one) {
    from.direction = static_cast<int>(begin);
    from.dimensions[axis] = {};
  } else if (!part.directions.empty() && dimension == part.all_features() &&
             (end - begin) * 2 == size.number && begin % (end - begin) == 0) {
    from.direction = static_cast<int>(begin / (end - begin));
    from.dimensions[axis] = part.features;
  } else {
    refuse(node, "expected all, the last step, or one direction, found another part");
  }
  from.by = &node;
  return settled(from);
}

Value select(const Axes& axes, const Node& node, const Stack& from, const Integer& first,
             const Integer& behind) {
  // Of each layer, as long as no axis of its own tells the layers.
  const Signal& one = from.states.front();
  const std::int64_t directions = axes.size_of(one.dimensions[from.axis]).number;
  const std::int64_t count = std::ssize(from.states) * directions;
  const auto [begin, end] = range(node, {.number = count}, first, behind);
  if (begin >= end) refuse(node, "expected states, found none");
  const auto layer = begin / directions;
  if (end - begin == 1) {
    return select(axes, node, from.states[static_cast<std::size_t>(layer)], from.axis,
                  {.number = begin % directions}, {.number = begin % directions + 1});
  }
  if (begin % directions != 0 || end % directions != 0) {
    refuse(node, "expected states of whole layers or one direction, found others");
  }
  if (end - begin == directions) return from.states[static_cast<std::size_t>(layer)];
  return Stack{.axis = from.axis,
               .states = {from.states.begin() + layer, from.states.begin() + end / directions}};
}

Value join(const Axes& axes, const Node& node, std::vector<Signal> signals, std::size_t axis) {
  Signal& first = signals.front();
  Dimensions others = first.dimensions;
  const auto is_state = [&](const Signal& signal) {
    return (signal.taken == Taken::final || signal.taken == Taken::cell) &&
           signal.direction == -1 && signal.part->as<RecurrentNode>() != nullptr &&
           signal.taken == first.taken &&
           signal.part->num_directions == first.part->num_directions &&
           axes.are_same(signal.dimensions[axis], signal.part->directions);
  };
  if (signals.size() == 2 && holds_all(first, signals[1]) &&
      axes.are_same(first.dimensions, signals[1].dimensions)) {
    const Dimension found = axes.without_ones(first.dimensions[axis]);
    if (found.empty() || found == first.part->features) {
      Signal both = first;
      both.dimensions[axis] = first.part->directions;
      both.dimensions[axis].insert(both.dimensions[axis].end(), found.begin(), found.end());
      both.direction = -1;
      return both;
    }
  }
  if (std::ranges::all_of(signals, [&](const Signal& signal) {
        return signal.dimensions.size() == others.size() && is_state(signal);
      })) {
    return Stack{.axis = axis, .states = std::move(signals)};
  }
  refuse(node, "expected both directions of a layer, or states of layers, found others");
}

}  // namespace quadgate::graph
