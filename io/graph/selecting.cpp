// Nodes that take a part of what they get, or put parts side by side.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

TensorPtr make(Tensor tensor) { return std::make_shared<const Tensor>(std::move(tensor)); }

}  // namespace

/// All steps from the last to the first of what may be the projection of a reverse direction.
Value Walk::turned(const Node& node, const Signal& from, std::size_t axis, const Integer& begin,
                   const Integer& end) {
  const Integer size = axes_.size_of(from.dimensions[axis]);
  const bool is_all = begin.is_number() && end.is_number() && size.is_number() &&
                      (begin.number == -1 || begin.number >= size.number - 1) &&
                      end.number < -size.number;
  if (!is_all || from.taken != Taken::every || from.part->as<Linear>() == nullptr ||
      axes_.without_ones(from.dimensions[axis]) != from.part->steps) {
    refuse(node, "steps: expected 1, found -1");
  }
  return Turned{.signal = from};
}

Value Walk::sliced(const Node& node, const Value& from, std::size_t axis, const Integer& begin,
                   const Integer& end, std::int64_t step) {
  if (const auto* const zeros = std::get_if<Zeros>(&from)) {
    Zeros to = *zeros;
    const bool is_known = begin.is_number() && end.is_number() && begin.number >= 0 && step == 1 &&
                          end.number > begin.number && to.shape[axis].is_number() &&
                          end.number <= to.shape[axis].number;
    to.shape[axis] = is_known ? Integer{.number = end.number - begin.number}
                              : Integer{.number = 0, .axes = {}, .is_known = false};
    return to;
  }
  if (const auto* const tensor = std::get_if<TensorPtr>(&from)) {
    const std::int64_t size = (*tensor)->shape[axis];
    if (!begin.is_number() || !end.is_number() || size == 0) {
      refuse(node, "expected a range that is known, of more than nothing");
    }
    const auto at = [&](std::int64_t index, std::int64_t least, std::int64_t most) {
      return std::clamp(index < 0 ? index + size : index, least, most);
    };
    const bool is_up = step > 0;
    const std::int64_t first = at(begin.number, 0, is_up ? size : size - 1);
    const std::int64_t behind = at(end.number, is_up ? 0 : -1, is_up ? size : size - 1);
    const std::int64_t span = is_up ? behind - first : first - behind;
    const std::int64_t stride = is_up ? step : -step;
    return make(
        folder_.slice(**tensor, axis, first, span > 0 ? (span + stride - 1) / stride : 0, step));
  }
  if (const auto* const signal = std::get_if<Signal>(&from); signal != nullptr && step == -1) {
    return turned(node, *signal, axis, begin, end);
  }
  if (step != 1) refuse(node, fmt::format("steps: expected 1, found {}", step));
  if (const auto* const signal = std::get_if<Signal>(&from)) {
    return select(axes_, node, *signal, axis, begin, end);
  }
  if (const auto* const all = std::get_if<Turned>(&from)) {
    const Signal one = select(axes_, node, all->signal, axis, begin, end);
    if (one.step < 0) refuse(node, "expected one step of those that were turned round");
    return Unrolled{.stage = Unrolled::Stage::projected,
                    .projection = one.part,
                    .dimensions = one.dimensions,
                    .is_reverse = true,
                    .step = one.step};
  }
  const auto* const stack = std::get_if<Stack>(&from);
  if (stack == nullptr || stack->axis != axis) refuse_part(node);
  return select(axes_, node, *stack, begin, end);
}

void Walk::slice(const Node& node) {
  Value value = input(node, 0);
  const std::size_t count = rank(node, value);
  const auto begins = integers(node, "starts", 1);
  const auto ends = integers(node, "ends", 2);
  std::vector<std::int64_t> all(begins ? begins->size() : 0);
  std::iota(all.begin(), all.end(), 0);
  const auto over = numbers(node, "axes", 3).value_or(all);
  const auto steps = numbers(node, "steps", 4).value_or(std::vector<std::int64_t>(all.size(), 1));
  if (!begins || !ends || ends->size() != all.size() || over.size() != all.size() ||
      steps.size() != all.size()) {
    refuse(node, "expected a range for each axis, found others");
  }
  axes_of(node, over, count);
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (steps[i] == 0 || steps[i] < -kMost || steps[i] > kMost) refuse(node, "steps: found 0");
    value = sliced(node, value, axis_of(node, over[i], count), (*begins)[i], (*ends)[i], steps[i]);
  }
  set(node, std::move(value));
}

void Walk::gather(const Node& node) {
  const Value& from = input(node, 0);
  const auto* const tensor = std::get_if<TensorPtr>(&from);
  if (has_input(node, 1) && std::holds_alternative<Signal>(input(node, 1))) return embed(node);
  const TensorPtr indices = constant(node, 1);
  if (!indices || !indices->is_whole()) refuse(node, "indices: expected whole numbers");
  const std::size_t axis = axis_of(node, node.integer("axis", 0), rank(node, from));
  if (tensor != nullptr) return set(node, make(folder_.gather(**tensor, *indices, axis)));
  if (indices->size() != 1 || indices->shape.size() > 1) {
    refuse(node, "indices: expected one, found several");
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const Integer index = axes_.resolve(indices->integers().front());
  if (!index.is_number() || index.number < -kMost || index.number >= kMost) {
    refuse(node, "indices: expected one that is known");
  }
  const Integer end{.number = index.number == -1 ? kMost : index.number + 1};
  Value value = sliced(node, from, axis, index, end, 1);
  if (auto* const zeros = std::get_if<Zeros>(&value)) zeros->shape[axis] = {.number = 1};
  set(node, indices->shape.empty() ? without(node, value, axis) : value);
}

void Walk::split(const Node& node) {
  const Value& from = input(node, 0);
  const std::size_t axis = axis_of(node, node.integer("axis", 0), rank(node, from));
  const auto count = std::ssize(node.outputs);
  std::vector<std::int64_t> parts = numbers(node, "split", 1).value_or(std::vector<std::int64_t>{});
  if (parts.empty()) {
    Integer size{.number = 0, .axes = {}, .is_known = false};
    if (const auto* const tensor = std::get_if<TensorPtr>(&from)) {
      size = {.number = (*tensor)->shape[axis]};
    }
    if (const auto* const zeros = std::get_if<Zeros>(&from)) size = zeros->shape[axis];
    if (const auto* const signal = std::get_if<Signal>(&from)) {
      size = axes_.size_of(signal->dimensions[axis]);
    }
    if (!size.is_number() || size.number % count != 0) {
      refuse(node, fmt::format("expected a size that {} divides", count));
    }
    parts.assign(static_cast<std::size_t>(count), size.number / count);
  }
  if (std::ssize(parts) != count) refuse(node, "split: expected a size for each output");
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 1 || parts[i] > std::numeric_limits<std::int32_t>::max()) {
      refuse(node, fmt::format("split: expected sizes, found {}", parts[i]));
    }
    const std::int64_t end = begin + parts[i];
    set(node, sliced(node, from, axis, {.number = begin}, {.number = end}, 1), i);
    begin = end;
  }
}

void Walk::concat(const Node& node) {
  if (node.inputs.empty()) refuse_part(node);
  const Value& first = input(node, 0);
  if (node.inputs.size() == 1) return set(node, first);
  const std::size_t axis = axis_of(node, node.integer("axis", 0), rank(node, first));
  if (close(node, axis)) return;
  std::vector<TensorPtr> tensors;
  std::vector<Signal> signals;
  std::optional<Zeros> zeros;
  bool are_zeros = true;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Value& one = input(node, i);
    if (rank(node, one) != rank(node, first)) refuse(node, "expected inputs of one rank");
    const auto* const tensor = std::get_if<TensorPtr>(&one);
    if (tensor != nullptr) tensors.push_back(*tensor);
    if (const auto* const signal = std::get_if<Signal>(&one)) signals.push_back(*signal);
    if (const auto* const some = std::get_if<Zeros>(&one)) {
      if (!zeros || zeros->input.empty()) zeros = *some;
    } else {
      are_zeros = are_zeros && tensor != nullptr && (*tensor)->is_all_zeros();
    }
  }
  if (tensors.size() == node.inputs.size()) return set(node, make(folder_.concat(tensors, axis)));
  if (signals.size() == node.inputs.size()) return set(node, join(axes_, node, signals, axis));
  if (!zeros || !are_zeros) refuse_part(node);
  zeros->shape[axis] = {.number = 0, .axes = {}, .is_known = false};
  set(node, *zeros);
}

void Walk::expand(const Node& node) {
  const Value& from = input(node, 0);
  const auto to = integers(node, "shape", 1);
  if (!to) refuse(node, "shape: missing");
  if (const auto* const zeros = std::get_if<Zeros>(&from)) {
    return set(node, Zeros{.shape = *to, .input = zeros->input});
  }
  const auto* const tensor = std::get_if<TensorPtr>(&from);
  if (tensor == nullptr) refuse_part(node);
  Integers shape = *to;
  for (std::size_t i = 0; i < shape.size() && i < (*tensor)->shape.size(); ++i) {
    // Of two sizes, one of which is 1, the other counts.
    Integer& size = shape[shape.size() - 1 - i];
    const std::int64_t own = (*tensor)->shape[(*tensor)->shape.size() - 1 - i];
    if (size == Integer{.number = 1}) size = {.number = own};
  }
  if ((*tensor)->is_all_zeros() && !(*tensor)->is_whole()) return set(node, Zeros{.shape = shape});
  Shape known;
  for (const Integer& size : shape) {
    if (!size.is_number()) refuse(node, "expected zeros or a known shape, found others");
    known.push_back(size.number);
  }
  set(node, make(folder_.expand(**tensor, known)));
}

}  // namespace quadgate::graph
