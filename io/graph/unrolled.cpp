// Layers of an RNN that are written out step by step. PyTorch's exporter has no node for nn.RNN:
// each step is h = tanh(W_hh h + b_hh + (W_ih x + b_ih)), and their number is fixed.

#include <algorithm>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

using Stage = Unrolled::Stage;

bool are_equal(const TensorPtr& a, const TensorPtr& b) {
  return a == b || (a && b && a->shape == b->shape && a->values == b->values);
}

/// Puts dimensions of size 1 in front.
void pad(Dimensions& dimensions, std::size_t rank) {
  while (dimensions.size() < rank) dimensions.insert(dimensions.begin(), Dimension{});
}

/// Whether the last step has shown the same layer; a first one that begins with zeros shows no R.
bool is_of_layer(const Unrolled& step, const Unrolled& last) {
  return step.projection == last.projection && step.is_reverse == last.is_reverse &&
         step.cell == last.cell && (!step.r || are_equal(step.r, last.r)) &&
         are_equal(step.bias, last.bias);
}

}  // namespace

/// A step of a projection, or what was made of it.
std::optional<Unrolled> Walk::as_step(const Value& value) const {
  if (const auto* const step = std::get_if<Unrolled>(&value)) return *step;
  const auto* const signal = std::get_if<Signal>(&value);
  if (signal == nullptr || signal->step < 0 || signal->part->as<Linear>() == nullptr) {
    return {};
  }
  return Unrolled{.stage = Stage::projected,
                  .projection = signal->part,
                  .dimensions = signal->dimensions,
                  .step = signal->step};
}

bool Walk::is_final(const Unrolled& step) const {
  return step.stage == Stage::states ||
         (step.stage == Stage::state &&
          Integer{.number = step.step + 1} == axes_.size_of(step.projection->steps));
}

/// Whether the node multiplies the state before the first step, or behind another one; `weight` is
/// that of a linear layer.
bool Walk::multiply_state(const Node& node, const TensorPtr& weight, const TensorPtr& bias) {
  const Value& from = input(node, 0);
  const auto* const tensor = std::get_if<TensorPtr>(&from);
  const bool is_zeros = std::holds_alternative<Zeros>(from) ||
                        (tensor != nullptr && !(*tensor)->is_whole() && (*tensor)->is_all_zeros());
  const auto* const state = std::get_if<Unrolled>(&from);
  if (!is_zeros && (state == nullptr || state->stage != Stage::state)) return false;
  if (state != nullptr && is_final(*state)) {
    linear(node, final_of(node, *state), weight, bias);
    return true;
  }
  if (weight->shape[0] != weight->shape[1]) refuse_part(node);
  Unrolled next = state != nullptr ? *state : Unrolled{};
  if (is_zeros) {
    next.dimensions.assign(rank(node, from), {});
    if (tensor != nullptr) {
      for (const std::int64_t size : (*tensor)->shape) next.sizes.push_back({.number = size});
    } else {
      next.sizes = std::get<Zeros>(from).shape;
    }
    if (const auto* const zeros = std::get_if<Zeros>(&from);
        zeros != nullptr && !zeros->input.empty()) {
      given_states_.insert(zeros->input);
    }
  }
  if (next.r && !are_equal(next.r, weight)) refuse_part(node);
  next.stage = Stage::recurrent;
  next.r = weight;
  next.has_bias = false;
  if (bias) add_bias(node, next, *bias);
  set(node, std::move(next));
  return true;
}

/// Adds b_hh, which may have become one row for each sequence.
void Walk::add_bias(const Node& node, Unrolled& step, const Tensor& bias) {
  const auto& last = step.r ? step.r : step.projection->as<Linear>()->weight;
  const auto size = static_cast<std::size_t>(last->shape[0]);
  pad(step.dimensions, bias.shape.size());
  bool fits = !bias.is_whole() && !bias.shape.empty() && bias.shape.back() == last->shape[0] &&
              bias.size() > 0 && !step.has_bias;
  for (std::size_t i = 0; fits && i < bias.shape.size(); ++i) {
    const Dimension& dimension = step.dimensions[step.dimensions.size() - 1 - i];
    const Integer found{.number = bias.shape[bias.shape.size() - 1 - i]};
    fits = found == Integer{.number = 1} || step.step < 0 || found == axes_.size_of(dimension);
  }
  for (std::size_t i = size; fits && i < bias.size(); ++i) {
    fits = bias.floats()[i] == bias.floats()[i - size];
  }
  if (!fits) refuse(node, "expected a bias of each unit, found another");
  auto row = std::make_shared<const Tensor>(
      Tensor{.shape = {last->shape[0]},
             .values = Floats{bias.floats().begin(), bias.floats().begin() + last->shape[0]}});
  if (row->is_all_zeros()) row = nullptr;  // W_hh of zeros, of a layer without biases
  if (step.stage == Stage::recurrent && step.step >= 0 && !are_equal(step.bias, row)) {
    refuse(node, "expected the bias of the step before, found another");
  }
  step.bias = row;
  step.has_bias = row != nullptr;
}

/// Whether the node adds what a step consists of.
bool Walk::add_steps(const Node& node) {
  for (const std::size_t index : {std::size_t{0}, std::size_t{1}}) {
    auto step = as_step(input(node, index));
    const Value& other = input(node, 1 - index);
    if (!step) continue;
    if (const auto* const constant = std::get_if<TensorPtr>(&other)) {
      const bool is_first = step->stage == Stage::projected && step->step == 0;
      if (!is_first && step->stage != Stage::recurrent) return false;
      add_bias(node, *step, **constant);
      if (is_first) step->stage = Stage::summed;
      set(node, std::move(*step));
      return true;
    }
    auto projected = as_step(other);
    if (!projected || step->stage != Stage::recurrent || projected->stage != Stage::projected) {
      continue;
    }
    const bool is_next = projected->step == step->step + 1;
    const bool is_same = step->step < 0 || (step->projection == projected->projection &&
                                            step->is_reverse == projected->is_reverse);
    const Dimension& features = projected->projection->features;
    const bool has_bias = step->step < 0 || step->has_bias == (step->bias != nullptr);
    if (!is_next || !is_same || !has_bias || projected->dimensions.empty() ||
        !axes_.are_same(projected->dimensions.back(), features)) {
      refuse_part(node);
    }
    projected->r = step->r;
    projected->bias = step->bias;
    projected->stage = Stage::summed;
    projected->cell = step->cell;
    pad(projected->dimensions, step->dimensions.size());
    bool fits = step->step < 0 || axes_.are_same(projected->dimensions, step->dimensions);
    for (std::size_t i = 0; fits && i < step->sizes.size(); ++i) {
      const std::size_t axis = projected->dimensions.size() - 1 - i;
      const Integer size = axes_.resolve(step->sizes[step->sizes.size() - 1 - i]);
      fits = !size.is_known || size == Integer{.number = 1} ||
             size == axes_.size_of(projected->dimensions[axis]);
    }
    if (!fits) refuse_part(node);
    set(node, std::move(*projected));
    return true;
  }
  return false;
}

void Walk::activate(const Node& node) {
  auto step = as_step(input(node, 0));
  const Cell cell = node.op == "Relu" ? Cell::rnn_relu : Cell::rnn_tanh;
  const bool is_first = step && step->stage == Stage::projected && step->step == 0;
  if (!step || !(is_first || step->stage == Stage::summed) ||
      (step->step > 0 && step->cell != cell)) {
    refuse_part(node);
  }
  step->stage = Stage::state;
  step->cell = cell;
  set(node, std::move(*step));
}

/// The layer whose last step it is.
PartPtr Walk::layer_of(const Node& node, const Unrolled& last) {
  for (const auto& [known, part] : layers_) {
    if (is_of_layer(known, last) && is_of_layer(last, known)) return part;
  }
  const Part& projection = *last.projection;
  const Linear& linear = *projection.as<Linear>();
  const std::int64_t size = linear.weight->shape[0];
  if (!last.r || last.r->shape != Shape{size, size} || !is_final(last)) {
    refuse(node, "expected all steps of a layer that is written out, found others");
  }
  RecurrentNode layer{.cell = last.cell,
                      .directions = 1,
                      .input_size = linear.weight->shape[1],
                      .hidden_size = size};
  const auto of_one = [](Tensor tensor) {
    tensor.shape.insert(tensor.shape.begin(), 1);
    return std::make_shared<const Tensor>(std::move(tensor));
  };
  layer.w = of_one(*linear.weight);
  layer.r = of_one(*last.r);
  if (linear.bias || last.bias) {
    const auto zeros = std::make_shared<const Tensor>(
        Tensor{.shape = {size}, .values = Floats(folder_.take_room({size}))});
    layer.b = of_one(
        folder_.concat({linear.bias ? linear.bias : zeros, last.bias ? last.bias : zeros}, 0));
  }
  Part part = projection;
  part.below = projection.below;
  part.node = &node;
  part.num_directions = 1;
  part.what = std::move(layer);
  return layers_.emplace_back(last, std::make_shared<const Part>(std::move(part))).second;
}

Signal Walk::final_of(const Node& node, const Unrolled& last) {
  if (last.is_reverse) refuse_part(node);
  return {.part = layer_of(node, last), .dimensions = last.dimensions, .taken = Taken::final};
}

/// Whether the node puts the steps of a layer, or two directions that are written out, side by
/// side.
bool Walk::close(const Node& node, std::size_t axis) {
  if (const auto* const forward = std::get_if<Signal>(&input(node, 0));
      forward != nullptr && node.inputs.size() == 2) {
    const auto* const reverse = std::get_if<Unrolled>(&input(node, 1));
    if (reverse == nullptr || reverse->stage != Stage::layer) return false;
    join_directions(node, axis, *forward, *reverse);
    return true;
  }
  std::vector<Unrolled> steps;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto* const step = std::get_if<Unrolled>(&input(node, i));
    if (step == nullptr || step->stage != Stage::state) return false;
    steps.push_back(*step);
  }
  const auto is_last = [&](const Unrolled& step) { return is_final(step); };
  if (steps.size() > 1 && std::ranges::all_of(steps, is_last)) {
    join_finals(node, axis, std::move(steps));
  } else {
    join_steps(node, axis, std::move(steps));
  }
  return true;
}

void Walk::join_directions(const Node& node, std::size_t axis, const Signal& forward,
                           const Unrolled& reverse) {
  if (forward.part->as<RecurrentNode>() == nullptr || forward.taken != Taken::every ||
      axis + 1 != forward.dimensions.size() || forward.part->num_directions != 1 ||
      !axes_.are_same(forward.dimensions.back(), forward.part->features)) {
    refuse_part(node);
  }
  Signal both = forward;
  both.part = both_directions(node, *forward.part, reverse);
  both.dimensions.back() = both.part->all_features();
  set(node, std::move(both));
}

/// The last states of several layers.
void Walk::join_finals(const Node& node, std::size_t axis, std::vector<Unrolled> steps) {
  if (std::ranges::any_of(steps, &Unrolled::is_reverse)) {
    steps.front().stage = Stage::states;
    return set(node, std::move(steps.front()));
  }
  std::vector<Signal> states;
  states.reserve(steps.size());
  for (const Unrolled& step : steps) states.push_back(final_of(node, step));
  set(node, join(axes_, node, std::move(states), axis));
}

/// All steps of one layer.
void Walk::join_steps(const Node& node, std::size_t axis, std::vector<Unrolled> steps) {
  if (steps.front().is_reverse) std::ranges::reverse(steps);
  Unrolled last = steps.back();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].step != static_cast<std::int64_t>(i) || !is_of_layer(steps[i], last) ||
        !axes_.are_same(steps[i].dimensions, last.dimensions) ||
        !axes_.without_ones(steps[i].dimensions[axis]).empty()) {
      refuse(node, "expected the steps of a layer in their order, found others");
    }
  }
  last.dimensions[axis] = last.projection->steps;
  if (!last.is_reverse) {
    return set(node, Signal{.part = layer_of(node, last), .dimensions = last.dimensions});
  }
  layer_of(node, last);
  last.stage = Stage::layer;
  set(node, std::move(last));
}

PartPtr Walk::both_directions(const Node& node, const Part& forward, const Unrolled& reverse) {
  const PartPtr other = layer_of(node, reverse);
  const RecurrentNode& a = *forward.as<RecurrentNode>();
  const RecurrentNode& b = *other->as<RecurrentNode>();
  if (forward.below != other->below || a.cell != b.cell || a.w->shape != b.w->shape ||
      (a.b == nullptr) != (b.b == nullptr) || !axes_.are_same(forward.steps, other->steps) ||
      !axes_.are_same(forward.sequences, other->sequences)) {
    refuse(node, "expected two directions of one layer, found others");
  }
  const auto join = [&](const TensorPtr& x, const TensorPtr& y) {
    return x ? std::make_shared<const Tensor>(folder_.concat({x, y}, 0)) : nullptr;
  };
  RecurrentNode layer = a;
  layer.directions = 2;
  layer.w = join(a.w, b.w);
  layer.r = join(a.r, b.r);
  layer.b = join(a.b, b.b);
  Part part = forward;
  part.node = &node;
  part.num_directions = 2;
  part.directions = axes_.add(2);
  part.what = std::move(layer);
  return std::make_shared<const Part>(std::move(part));
}

}  // namespace quadgate::graph
