// Nodes that arrange all of what they get.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

template <typename Size>
std::vector<Size> permuted(const std::vector<Size>& sizes, const std::vector<std::size_t>& perm) {
  std::vector<Size> result;
  result.reserve(perm.size());
  for (const std::size_t axis : perm) result.push_back(sizes[axis]);
  return result;
}

template <typename Size>
void remove_axis(std::vector<Size>& sizes, std::size_t axis) {
  sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(axis));
}

template <typename Size>
void insert_axis(std::vector<Size>& sizes, std::size_t axis, Size size) {
  sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(axis), std::move(size));
}

/// Types of ONNX (TensorProto.DataType).
constexpr std::int64_t kFloat = 1;
constexpr std::int64_t kInt32 = 6;
constexpr std::int64_t kInt64 = 7;
constexpr std::int64_t kBool = 9;
constexpr std::int64_t kDouble = 11;

}  // namespace

void Walk::keep(const Node& node) { set(node, input(node, 0)); }

void Walk::drop(const Node& node) {
  if (has_input(node, 2)) {
    const TensorPtr training = constant(node, 2);
    if (!training->is_all_zeros()) refuse(node, "training_mode: expected false, found another");
  }
  set(node, input(node, 0));
}

/// Changes no number: between types of floating numbers that float holds, and from numbers to
/// tokens where they come in.
void Walk::cast(const Node& node) {
  const std::int64_t to = node.integer("to", 0);
  const bool is_float = to == kFloat || to == kDouble;
  const bool is_whole = to == kInt32 || to == kInt64;
  const Value& from = input(node, 0);
  const auto fail = [&] {
    refuse(node, fmt::format("to: expected a type that changes no number, found type {}", to));
  };
  if (const auto* const tensor = std::get_if<TensorPtr>(&from)) {
    if (is_float == !(*tensor)->is_whole() && (is_float || is_whole)) return set(node, from);
    if ((*tensor)->is_whole() && to == kBool) return set(node, from);
    if (!is_float) fail();
    Floats numbers;
    for (const Integer& number : (*tensor)->integers()) {
      if (!axes_.resolve(number).is_number()) fail();
      numbers.push_back(static_cast<float>(axes_.resolve(number).number));
    }
    return set(node, std::make_shared<const Tensor>(
                         Tensor{.shape = (*tensor)->shape, .values = std::move(numbers)}));
  }
  if (std::holds_alternative<Lengths>(from) && is_whole) return set(node, from);
  if (const auto* const signal = std::get_if<Signal>(&from)) {
    const auto* const data = signal->part->as<DataInput>();
    if (is_whole && data != nullptr) {
      Signal tokens = *signal;
      tokens.part = std::make_shared<const Part>(Part{.what = DataInput{.is_whole = true}});
      return set(node, tokens);
    }
    if (is_float && data != nullptr && data->is_whole) {
      // Numbers that were cut to whole ones are others; those that came in so are not.
      const auto is_this = [&](const Input& one) { return one.name == node.inputs[0]; };
      if (std::ranges::none_of(file_.inputs(), is_this)) fail();
      Signal numbers = *signal;
      numbers.part = std::make_shared<const Part>(Part{.what = DataInput{}});
      return set(node, numbers);
    }
  }
  if (!is_float) fail();
  set(node, from);
}

void Walk::transpose(const Node& node) {
  const Value& from = input(node, 0);
  const std::size_t count = rank(node, from);
  std::vector<std::size_t> perm(count);
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (const Attribute* const given = node.attribute("perm")) {
    if (given->integers.size() != count) refuse(node, "perm: expected all axes, found others");
    axes_of(node, given->integers, count);
    for (std::size_t i = 0; i < count; ++i) perm[i] = axis_of(node, given->integers[i], count);
  }
  if (const auto* const tensor = std::get_if<TensorPtr>(&from)) {
    return set(node, std::make_shared<const Tensor>(folder_.transpose(**tensor, perm)));
  }
  Value to = from;
  if (auto* const zeros = std::get_if<Zeros>(&to)) zeros->shape = permuted(zeros->shape, perm);
  if (auto* const signal = std::get_if<Signal>(&to)) {
    signal->dimensions = permuted(signal->dimensions, perm);
  }
  if (auto* const stack = std::get_if<Stack>(&to)) {
    for (Signal& state : stack->states) state.dimensions = permuted(state.dimensions, perm);
    stack->axis = static_cast<std::size_t>(std::ranges::find(perm, stack->axis) - perm.begin());
  }
  set(node, std::move(to));
}

/// Takes an axis of size 1 away.
Value Walk::without(const Node& node, const Value& from, std::size_t axis) {
  const auto fail = [&] { refuse(node, fmt::format("axis {}: expected size 1", axis)); };
  if (const auto* const tensor = std::get_if<TensorPtr>(&from)) {
    if ((*tensor)->shape[axis] != 1) fail();
    Tensor to = **tensor;
    remove_axis(to.shape, axis);
    return std::make_shared<const Tensor>(std::move(to));
  }
  Value to = from;
  if (auto* const zeros = std::get_if<Zeros>(&to)) {
    if (zeros->shape[axis].is_number() && zeros->shape[axis].number != 1) fail();
    remove_axis(zeros->shape, axis);
  } else if (Dimensions* const dimensions = dimensions_of(to)) {
    if (!axes_.make_one((*dimensions)[axis])) fail();
    remove_axis(*dimensions, axis);
  } else {
    refuse_part(node);
  }
  return to;
}

void Walk::squeeze(const Node& node) {
  Value value = input(node, 0);
  const std::size_t count = rank(node, value);
  const auto given = numbers(node, "axes", 1);
  std::vector<std::size_t> axes;
  if (given) {
    axes = axes_of(node, *given, count);
  } else if (const auto* const signal = std::get_if<Signal>(&value)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (axes_.without_ones(signal->dimensions[i]).empty()) axes.push_back(i);
    }
  } else if (const auto* const tensor = std::get_if<TensorPtr>(&value)) {
    for (std::size_t i = 0; i < count; ++i) {
      if ((*tensor)->shape[i] == 1) axes.push_back(i);
    }
  } else {
    refuse(node, "axes: expected some, found none");
  }
  std::ranges::reverse(axes);
  for (const std::size_t axis : axes) value = without(node, value, axis);
  set(node, std::move(value));
}

void Walk::unsqueeze(const Node& node) {
  Value to = input(node, 0);
  const auto given = numbers(node, "axes", 1);
  if (!given) refuse(node, "axes: expected some, found none");
  for (const std::size_t axis : axes_of(node, *given, rank(node, to) + given->size())) {
    if (auto* const tensor = std::get_if<TensorPtr>(&to)) {
      Tensor more = **tensor;
      insert_axis<std::int64_t>(more.shape, axis, 1);
      *tensor = std::make_shared<const Tensor>(std::move(more));
    } else if (auto* const zeros = std::get_if<Zeros>(&to)) {
      insert_axis(zeros->shape, axis, Integer{.number = 1});
    } else if (Dimensions* const dimensions = dimensions_of(to)) {
      insert_axis(*dimensions, axis, Dimension{});
    } else {
      refuse_part(node);
    }
  }
  set(node, std::move(to));
}

/// States of layers with an axis in front that tells the layers.
Value Walk::reshaped_states(const Node& node, const Stack& from, const Integers& sizes) {
  Stack to = from;
  const std::size_t rank = from.states.front().dimensions.size();
  const Integer count{.number = std::ssize(from.states)};
  const bool is_rest = !sizes.empty() && sizes.front() == Integer{.number = -1} &&
                       std::ranges::all_of(sizes, &Integer::is_known);
  if (from.axis != 0 || sizes.size() != rank + 1 || !(sizes.front() == count || is_rest) ||
      std::ranges::find(sizes, Integer{}) != sizes.end()) {
    refuse(node, "expected an axis of layers in front of their states, found another shape");
  }
  for (Signal& state : to.states) {
    auto dimensions = axes_.reshape(state.dimensions, {sizes.begin() + 1, sizes.end()});
    if (!dimensions) refuse(node, "expected a shape that keeps each axis whole, found another");
    state.dimensions = std::move(*dimensions);
    insert_axis(state.dimensions, 0, Dimension{});
  }
  return to;
}

Value Walk::reshaped(const Node& node, const Value& from, const Integers& sizes) {
  if (const auto* const signal = std::get_if<Signal>(&from)) {
    Signal to = *signal;
    auto dimensions = axes_.reshape(signal->dimensions, sizes);
    if (!dimensions) refuse(node, "expected a shape that keeps each axis whole, found another");
    to.dimensions = std::move(*dimensions);
    return to;
  }
  if (const auto* const zeros = std::get_if<Zeros>(&from)) {
    return Zeros{.shape = sizes, .input = zeros->input};
  }
  if (const auto* const stack = std::get_if<Stack>(&from)) {
    return reshaped_states(node, *stack, sizes);
  }
  const auto* const tensor = std::get_if<TensorPtr>(&from);
  if (tensor == nullptr) refuse_part(node);
  Tensor to = **tensor;
  to.shape.clear();
  std::int64_t product = 1;
  std::int64_t rest = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::int64_t size = sizes[i].number;
    if (!sizes[i].is_number()) refuse(node, "expected a shape that is known");
    if (size == 0 && i < (*tensor)->shape.size()) size = (*tensor)->shape[i];
    if (size == -1) rest = static_cast<std::int64_t>(i);
    to.shape.push_back(size);
    if (size != -1 && __builtin_mul_overflow(product, size, &product)) product = 0;
  }
  const auto count = static_cast<std::int64_t>(to.size());
  if (rest >= 0 && product > 0) {
    to.shape[static_cast<std::size_t>(rest)] = count / product;
    product *= count / product;
  }
  if (product != count || std::ranges::any_of(to.shape, [](auto size) { return size < 0; })) {
    refuse(node, fmt::format("expected a shape of {} elements", count));
  }
  return std::make_shared<const Tensor>(std::move(to));
}

void Walk::reshape(const Node& node) {
  const auto sizes = integers(node, "shape", 1);
  if (!sizes) refuse(node, "shape: missing");
  const bool has_zeros = std::ranges::find(*sizes, Integer{}) != sizes->end();
  if (node.integer("allowzero", 0) != 0 && has_zeros)
    refuse(node, "allowzero: expected 0, found 1");
  set(node, reshaped(node, input(node, 0), *sizes));
}

void Walk::flatten(const Node& node) {
  const Value& from = input(node, 0);
  const auto* const signal = std::get_if<Signal>(&from);
  if (signal == nullptr) refuse_part(node);
  const auto count = static_cast<std::int64_t>(signal->dimensions.size());
  std::int64_t axis = node.integer("axis", 1);
  if (axis < 0) axis += count;
  if (axis < 0 || axis > count) refuse(node, "axis: expected one of its input, found another");
  Signal to = *signal;
  to.dimensions.assign(2, {});
  for (std::int64_t i = 0; i < count; ++i) {
    const Dimension& dimension = signal->dimensions[static_cast<std::size_t>(i)];
    Dimension& one = to.dimensions[i < axis ? 0 : 1];
    one.insert(one.end(), dimension.begin(), dimension.end());
  }
  set(node, std::move(to));
}

}  // namespace quadgate::graph
