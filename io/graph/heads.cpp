// Nodes that are the head of a model, and what pools the steps in front of it.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

bool is_weight(const TensorPtr& tensor) {
  return tensor && !tensor->is_whole() && tensor->shape.size() == 2 && tensor->size() > 0;
}

}  // namespace

/// A head, or what a layer that is written out makes of its input; `weight` is [O, I].
void Walk::linear(const Node& node, const Signal& x, TensorPtr weight, TensorPtr bias) {
  const Part& below = *x.part;
  if (below.as<Linear>() != nullptr || x.taken == Taken::cell) refuse_part(node);
  if (x.is_one_step() || x.is_one_direction()) {
    refuse(x.by == nullptr ? node : *x.by,
           "expected the last step of each direction, found other steps or one direction");
  }
  const bool is_behind = below.as<RecurrentNode>() != nullptr;
  Part head =
      is_behind ? below : on_top(node, x, 0, 1, 2);  // a layer that is written out begins so
  const Integer inputs = x.dimensions.empty() ? Integer{} : axes_.size_of(x.dimensions.back());
  if ((is_behind && !axes_.are_same(x.dimensions.back(), x.all_features())) ||
      inputs != Integer{.number = weight->shape[1]}) {
    refuse(node,
           fmt::format("expected the {} features of each step, found others", weight->shape[1]));
  }
  if (x.is_of_reverse_layer()) weight = behind_zeros(weight, folder_);
  head.below = x.part;
  head.node = &node;
  head.directions = {};
  head.features = axes_.add(weight->shape[0]);
  head.what = Linear{.weight = std::move(weight), .bias = std::move(bias)};
  Signal y = x;
  y.direction = -1;
  y.step = -1;
  y.dimensions.back() = head.features;
  y.part = std::make_shared<const Part>(std::move(head));
  set(node, std::move(y));
}

void Walk::multiply(const Node& node) {
  if (has_input(node, 1) && std::holds_alternative<Signal>(input(node, 1))) refuse_part(node);
  TensorPtr weight = constant(node, 1);
  if (!is_weight(weight)) refuse(node, "expected a weight of 2 dimensions, found others");
  constexpr std::size_t kPerm[] = {1, 0};
  weight = std::make_shared<const Tensor>(folder_.transpose(*weight, kPerm));
  if (multiply_state(node, weight, nullptr)) return;
  linear(node, signal(node, 0), weight, nullptr);
}

void Walk::gemm(const Node& node) {
  TensorPtr weight = constant(node, 1);
  TensorPtr bias = constant(node, 2);
  if (!is_weight(weight) || rank(node, input(node, 0)) != 2) {
    refuse(node, "expected rows and a weight of 2 dimensions, found others");
  }
  if (node.integer("transA", 0) != 0) refuse(node, "transA: expected 0, found another");
  constexpr std::size_t kPerm[] = {1, 0};
  if (node.integer("transB", 0) == 0) {
    weight = std::make_shared<const Tensor>(folder_.transpose(*weight, kPerm));
  }
  for (auto& [name, matrix] : {std::pair{"alpha", &weight}, {"beta", &bias}}) {
    const Attribute* const factor = node.attribute(name);
    if (factor == nullptr || !factor->tensor || !*matrix) continue;
    *matrix = std::make_shared<const Tensor>(folder_.combine("Mul", **matrix, *factor->tensor));
  }
  if (bias) bias = bias_of(node, bias, weight->shape[0]);
  if (multiply_state(node, weight, bias)) return;
  linear(node, signal(node, 0), std::move(weight), std::move(bias));
}

/// Of shape [size], from one that is added to rows of that size.
TensorPtr Walk::bias_of(const Node& node, const TensorPtr& from, std::int64_t size) {
  const std::int64_t last = from->shape.empty() ? 1 : from->shape.back();
  if (from->is_whole() || static_cast<std::int64_t>(from->size()) != last ||
      (last != size && last != 1)) {
    refuse(node, fmt::format("expected a bias of {} numbers, found ({})", size,
                             fmt::join(from->shape, ", ")));
  }
  const Tensor flat{.shape = {last}, .values = from->values};
  return std::make_shared<const Tensor>(folder_.expand(flat, {size}));
}

/// Whether the node adds a constant to a head's output.
bool Walk::add_bias(const Node& node) {
  const bool is_second = std::holds_alternative<Signal>(input(node, 1));
  const auto* const x = std::get_if<Signal>(&input(node, is_second ? 1 : 0));
  const auto* const other = std::get_if<TensorPtr>(&input(node, is_second ? 0 : 1));
  if (x == nullptr || other == nullptr) return false;
  const auto* const head = x->part->as<Linear>();
  if (head == nullptr || x->dimensions.empty() ||
      !axes_.are_same(x->dimensions.back(), x->part->features) ||
      (*other)->shape.size() > x->dimensions.size()) {
    return false;
  }
  TensorPtr bias = bias_of(node, *other, head->weight->shape[0]);
  if (head->bias) bias = std::make_shared<const Tensor>(folder_.combine("Add", *head->bias, *bias));
  Signal y = *x;
  Part part = *x->part;
  std::get<Linear>(part.what).bias = std::move(bias);
  y.part = std::make_shared<const Part>(std::move(part));
  set(node, std::move(y));
  return true;
}

void Walk::pool(const Node& node, const Signal& x, std::vector<std::size_t> over, bool keeps,
                Taken taken) {
  Signal y = x;
  std::ranges::reverse(over);
  for (const std::size_t axis : over) {
    const Dimension dimension = axes_.without_ones(x.dimensions[axis]);
    if (!dimension.empty()) {
      const bool is_layer = x.part->as<RecurrentNode>() != nullptr;
      const bool is_linear = x.part->as<Linear>() != nullptr && taken == Taken::mean;
      if (dimension != axes_.without_ones(x.part->steps) || y.taken != Taken::every ||
          !(is_layer || is_linear)) {
        refuse(node, "expected all steps behind the layers, found another axis");
      }
      if (!x.part->lengths.empty()) refuse(node, "expected no lengths that vary");
      y.taken = taken;
      y.by = &node;
    }
    y.dimensions[axis] = {};
    if (!keeps) y.dimensions.erase(y.dimensions.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  set(node, std::move(y));
}

void Walk::reduce(const Node& node) {
  const Signal& x = signal(node, 0);
  const auto given = numbers(node, "axes", 1);
  if (!given || given->empty()) refuse(node, "axes: expected the steps, found none");
  pool(node, x, axes_of(node, *given, x.dimensions.size()), node.integer("keepdims", 1) != 0,
       node.op == "ReduceMean" ? Taken::mean : Taken::max);
}

void Walk::pool_globally(const Node& node) {
  const Signal& x = signal(node, 0);
  std::vector<std::size_t> over;
  for (std::size_t axis = 2; axis < x.dimensions.size(); ++axis) over.push_back(axis);
  pool(node, x, over, true, node.op == "GlobalAveragePool" ? Taken::mean : Taken::max);
}

}  // namespace quadgate::graph
