// What a graph computes of the sizes of its arrays, and of constants.

#include <algorithm>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

Integers sizes(const Axes& axes, const Value& value) {
  if (const auto* const tensor = std::get_if<TensorPtr>(&value)) {
    Integers numbers;
    for (const std::int64_t size : (*tensor)->shape) numbers.push_back({.number = size});
    return numbers;
  }
  if (const auto* const zeros = std::get_if<Zeros>(&value)) return zeros->shape;
  if (const auto* const signal = std::get_if<Signal>(&value))
    return axes.sizes_of(signal->dimensions);
  return {};
}

}  // namespace

void Walk::shape(const Node& node) {
  const Value& from = input(node, 0);
  const auto count = static_cast<std::int64_t>(rank(node, from));
  Integers found = sizes(axes_, from);
  if (std::ssize(found) != count) refuse_part(node);
  const auto at = [&](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + count : index, 0, count);
  };
  const std::int64_t begin = at(node.integer("start", 0));
  const std::int64_t end = std::max(begin, at(node.integer("end", count)));
  set(node, of_integers({found.begin() + begin, found.begin() + end}));
}

void Walk::constant_of_shape(const Node& node) {
  const auto shape = integers(node, "", 0);
  if (!shape) refuse_part(node);
  const Attribute* const value = node.attribute("value");
  const TensorPtr one = value == nullptr ? nullptr : value->tensor;
  if (!one || (!one->is_whole() && one->is_all_zeros())) {
    return set(node, Zeros{.shape = *shape});
  }
  Shape known;
  for (const Integer& size : *shape) {
    if (!size.is_number()) refuse(node, "expected zeros or a known shape, found others");
    known.push_back(size.number);
  }
  const Tensor scalar{.shape = {}, .values = one->values};
  if (scalar.size() != 1) refuse(node, "value: expected one number");
  set(node, std::make_shared<const Tensor>(folder_.expand(scalar, known)));
}

void Walk::arithmetic(const Node& node) {
  if (node.op == "Add" && (add_steps(node) || add_bias(node))) return;
  const auto* const a = std::get_if<TensorPtr>(&input(node, 0));
  const auto* const b = std::get_if<TensorPtr>(&input(node, 1));
  if (a == nullptr || b == nullptr) refuse_part(node);
  set(node, std::make_shared<const Tensor>(folder_.combine(node.op, **a, **b)));
}

void Walk::where(const Node& node) {
  const auto* const condition = std::get_if<TensorPtr>(&input(node, 0));
  const auto* const a = std::get_if<TensorPtr>(&input(node, 1));
  const auto* const b = std::get_if<TensorPtr>(&input(node, 2));
  if (condition == nullptr || a == nullptr || b == nullptr) refuse_part(node);
  set(node, std::make_shared<const Tensor>(folder_.where(**condition, **a, **b)));
}

}  // namespace quadgate::graph
