#include "io/graph/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"

namespace quadgate::graph {

const std::unordered_map<std::string, Walk::Step>& Walk::steps() {
  static const std::unordered_map<std::string, Step> steps{
      {"Identity", &Walk::keep},
      {"Cast", &Walk::cast},
      {"Dropout", &Walk::drop},
      {"Transpose", &Walk::transpose},
      {"Squeeze", &Walk::squeeze},
      {"Unsqueeze", &Walk::unsqueeze},
      {"Reshape", &Walk::reshape},
      {"Flatten", &Walk::flatten},
      {"Slice", &Walk::slice},
      {"Gather", &Walk::gather},
      {"Split", &Walk::split},
      {"Concat", &Walk::concat},
      {"Expand", &Walk::expand},
      {"Shape", &Walk::shape},
      {"ConstantOfShape", &Walk::constant_of_shape},
      {"Add", &Walk::arithmetic},
      {"Sub", &Walk::arithmetic},
      {"Mul", &Walk::arithmetic},
      {"Div", &Walk::arithmetic},
      {"Equal", &Walk::arithmetic},
      {"Where", &Walk::where},
      {"Conv", &Walk::convolve},
      {"Relu", &Walk::relu},
      {"Tanh", &Walk::activate},
      {"MaxPool", &Walk::max_pool},
      {"LSTM", &Walk::recur},
      {"GRU", &Walk::recur},
      {"RNN", &Walk::recur},
      {"MatMul", &Walk::multiply},
      {"Gemm", &Walk::gemm},
      {"ReduceMean", &Walk::reduce},
      {"ReduceMax", &Walk::reduce},
      {"GlobalAveragePool", &Walk::pool_globally},
      {"GlobalMaxPool", &Walk::pool_globally}};
  return steps;
}

Walk::Walk(GraphFile& file) : file_(file), folder_(file.most_numbers()) {}

void Walk::run() {
  const std::set<std::string> names = needed();
  const auto is_needed = [&](const Node& node) {
    return std::ranges::any_of(node.outputs, [&](auto& name) { return names.contains(name); });
  };
  for (const Node& node : file_.nodes()) {
    if (!node.is_recurrent() || !is_needed(node)) continue;
    trace(node, 4, lengths_);
    trace(node, 5, states_);
    trace(node, 6, states_);
  }
  add_inputs();
  for (const Node& node : file_.nodes()) {
    if (is_needed(node)) visit(node);
  }
}

const Value& Walk::value(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw FileError(fmt::format("'{}': expected what an input or a node puts out", name));
  }
  return found->second;
}

/// The names of all that the outputs depend on.
std::set<std::string> Walk::needed() const {
  std::set<std::string> names(file_.outputs().begin(), file_.outputs().end());
  const std::vector<Node>& nodes = file_.nodes();
  std::for_each(nodes.rbegin(), nodes.rend(), [&](const Node& node) {
    if (std::ranges::any_of(node.outputs, [&](auto& name) { return names.contains(name); })) {
      names.insert(node.inputs.begin(), node.inputs.end());
    }
  });
  names.erase("");
  return names;
}

/// Adds the inputs whose numbers, not only sizes, come to the input of a node.
void Walk::trace(const Node& from, int input, std::set<std::string>& inputs) const {
  if (std::ssize(from.inputs) <= input) return;
  std::set<std::string> names{from.inputs[static_cast<std::size_t>(input)]};
  const std::vector<Node>& nodes = file_.nodes();
  std::for_each(nodes.rbegin(), nodes.rend(), [&](const Node& node) {
    if (node.op == "Shape" || node.is_recurrent()) return;
    if (std::ranges::any_of(node.outputs, [&](auto& name) { return names.contains(name); })) {
      names.insert(node.inputs.begin(), node.inputs.end());
    }
  });
  for (const Input& one : file_.inputs()) {
    if (names.contains(one.name)) inputs.insert(one.name);
  }
}

void Walk::add_inputs() {
  for (const Input& input : file_.inputs()) {
    constexpr std::size_t kSteps = 3;  // sequences, steps, features
    const auto shape = input.shape.value_or(Shape(input.is_whole ? kSteps - 1 : kSteps));
    Dimensions dimensions;
    for (const std::int64_t size : shape) dimensions.push_back(axes_.add(size));
    if (lengths_.contains(input.name)) {
      values_[input.name] = Lengths{.input = input.name};
    } else if (states_.contains(input.name)) {
      values_[input.name] = Zeros{.shape = axes_.sizes_of(dimensions), .input = input.name};
    } else {
      values_[input.name] = Signal{
          .part = std::make_shared<const Part>(Part{.what = DataInput{.is_whole = input.is_whole}}),
          .dimensions = std::move(dimensions)};
    }
  }
}

void Walk::visit(const Node& node) {
  const auto found = steps().find(node.op);
  if (found == steps().end()) refuse_part(node);
  try {
    (this->*found->second)(node);
  } catch (const NodeError&) {
    throw;
  } catch (const FileError& error) {
    refuse(node, error.what());
  }
}

void Walk::refuse_part(const Node& node) const {
  refuse(node, "expected a part of a model of quadgate's, found another computation");
}

const Value* Walk::find(const std::string& name) {
  const auto found = values_.find(name);
  if (found != values_.end()) return &found->second;
  TensorPtr constant = file_.constant(name);
  if (!constant) return nullptr;
  return &(values_[name] = std::move(constant));
}

bool Walk::has_input(const Node& node, std::size_t index) const {
  return index < node.inputs.size() && !node.inputs[index].empty();
}

const Value& Walk::input(const Node& node, std::size_t index) {
  if (!has_input(node, index)) refuse(node, fmt::format("input {}: missing", index));
  const Value* const found = find(node.inputs[index]);
  if (found == nullptr) {
    refuse(node, fmt::format("input {}: expected what comes before it, found '{}'", index,
                             node.inputs[index]));
  }
  return *found;
}

const Signal& Walk::signal(const Node& node, std::size_t index) {
  const auto* const found = std::get_if<Signal>(&input(node, index));
  if (found == nullptr) refuse_part(node);
  return *found;
}

/// Input number `index`, which must be a constant; null if the node has none.
TensorPtr Walk::constant(const Node& node, std::size_t index) {
  if (!has_input(node, index)) return nullptr;
  const Value& found = input(node, index);
  if (const auto* const tensor = std::get_if<TensorPtr>(&found)) return *tensor;
  if (const auto* const zeros = std::get_if<Zeros>(&found);
      zeros != nullptr && zeros->input.empty()) {
    Shape shape;
    for (const Integer& size : zeros->shape) {
      if (size.is_number()) shape.push_back(size.number);
    }
    if (shape.size() == zeros->shape.size()) {
      const std::size_t count = folder_.take_room(shape);
      return std::make_shared<const Tensor>(Tensor{.shape = shape, .values = Floats(count)});
    }
  }
  refuse(node, fmt::format("input {}: expected a constant, found '{}'", index, node.inputs[index]));
}

/// Whole numbers of an attribute or, since later opsets, of an input; empty without either.
std::optional<Integers> Walk::integers(const Node& node, const char* attribute, std::size_t index) {
  if (const Attribute* const found = node.attribute(attribute)) {
    Integers numbers;
    for (const std::int64_t number : found->integers) numbers.push_back({.number = number});
    return numbers;
  }
  const TensorPtr found = constant(node, index);
  if (!found) return {};
  if (!found->is_whole()) refuse(node, fmt::format("input {}: expected whole numbers", index));
  Integers numbers;
  for (const Integer& number : found->integers()) numbers.push_back(axes_.resolve(number));
  return numbers;
}

std::optional<std::vector<std::int64_t>> Walk::numbers(const Node& node, const char* attribute,
                                                       std::size_t index) {
  const auto found = integers(node, attribute, index);
  if (!found) return {};
  std::vector<std::int64_t> numbers;
  for (const Integer& number : *found) {
    if (!number.is_number()) {
      refuse(node, fmt::format("{}: expected numbers that are known", attribute));
    }
    numbers.push_back(number.number);
  }
  return numbers;
}

std::size_t Walk::axis_of(const Node& node, std::int64_t axis, std::size_t rank) const {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) {
    refuse(node, fmt::format("axis: expected one of {}, found {}", count, axis));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::vector<std::size_t> Walk::axes_of(const Node& node, const std::vector<std::int64_t>& numbers,
                                       std::size_t rank) const {
  std::vector<std::size_t> found;
  found.reserve(numbers.size());
  for (const std::int64_t number : numbers) found.push_back(axis_of(node, number, rank));
  std::ranges::sort(found);
  if (std::ranges::adjacent_find(found) != found.end()) refuse(node, "axes: found one twice");
  return found;
}

std::size_t Walk::rank(const Node& node, const Value& value) const {
  if (const auto* const tensor = std::get_if<TensorPtr>(&value)) return (*tensor)->shape.size();
  if (const auto* const zeros = std::get_if<Zeros>(&value)) return zeros->shape.size();
  if (const auto* const signal = std::get_if<Signal>(&value)) return signal->dimensions.size();
  if (const auto* const stack = std::get_if<Stack>(&value)) {
    return stack->states.front().dimensions.size();
  }
  if (const auto* const turned = std::get_if<Turned>(&value)) {
    return turned->signal.dimensions.size();
  }
  if (const auto* const step = std::get_if<Unrolled>(&value)) return step->dimensions.size();
  refuse_part(node);
}

Dimensions* Walk::dimensions_of(Value& value) {
  if (auto* const signal = std::get_if<Signal>(&value)) return &signal->dimensions;
  if (auto* const step = std::get_if<Unrolled>(&value)) return &step->dimensions;
  return nullptr;
}

void Walk::set(const Node& node, Value value, std::size_t output) {
  if (output < node.outputs.size() && !node.outputs[output].empty()) {
    values_[node.outputs[output]] = std::move(value);
  }
}

}  // namespace quadgate::graph
