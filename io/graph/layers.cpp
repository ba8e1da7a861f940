// Nodes that are the embedding, the convolution and the layers of a model.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

std::string to_text(const Integers& sizes) {
  std::vector<std::string> texts;
  for (const Integer& size : sizes) {
    texts.push_back(size.is_number() ? std::to_string(size.number) : "?");
  }
  return fmt::format("({})", fmt::join(texts, ", "));
}

/// The size of a kernel over steps, whose other options must be these.
std::int64_t only(const Node& node, const char* name, std::int64_t otherwise) {
  const Attribute* const found = node.attribute(name);
  if (found == nullptr) return otherwise;
  if (found->integers.empty() ||
      std::ranges::any_of(found->integers, [&](auto n) { return n != found->integers.front(); })) {
    refuse(node, fmt::format("{}: expected one number, found {}", name,
                             fmt::join(found->integers, ", ")));
  }
  return found->integers.front();
}

void expect_option(const Node& node, const char* name, std::int64_t expected) {
  const std::int64_t found = only(node, name, expected);
  if (found != expected) {
    refuse(node, fmt::format("{}: expected {}, found {}", name, expected, found));
  }
}

/// Steps of zeros on both sides.
std::int64_t padding_of(const Node& node, std::int64_t kernel_size) {
  const Attribute* const automatic = node.attribute("auto_pad");
  const std::string kind =
      automatic == nullptr || automatic->texts.empty() ? "NOTSET" : automatic->texts.front();
  if (kind == "NOTSET") return only(node, "pads", 0);
  if (kind == "VALID") return 0;
  if (kernel_size % 2 == 0) refuse(node, "auto_pad: expected the same padding on both sides");
  return (kernel_size - 1) / 2;
}

bool is_float(const TensorPtr& tensor, std::size_t rank) {
  return tensor && !tensor->is_whole() && tensor->shape.size() == rank && tensor->size() > 0;
}

}  // namespace

/// A part on top of a signal, with its steps, sequences and features at these dimensions.
Part Walk::on_top(const Node& node, const Signal& below, std::size_t steps, std::size_t sequences,
                  std::size_t features) const {
  const Part& part = *below.part;
  if (part.as<Linear>() != nullptr) {
    refuse(*part.node,
           fmt::format("expected a head behind all layers, found {} behind it", node.op));
  }
  if (const auto* const conv = part.as<Convolution>(); conv != nullptr && !conv->has_relu) {
    refuse(*part.node, fmt::format("expected a Relu behind it, found {}", node.op));
  }
  if (below.taken != Taken::every || below.is_one_direction()) {
    refuse(below.by == nullptr ? node : *below.by,
           fmt::format("expected all steps of all directions for {} behind it", node.op));
  }
  const Dimensions& from = below.dimensions;
  if (from.size() != 3) {
    refuse(node, fmt::format("input 0: expected 3 dimensions, found {}", from.size()));
  }
  Part top{.what = DataInput{},
           .below = below.part,
           .node = &node,
           .steps = axes_.without_ones(from[steps]),
           .sequences = axes_.without_ones(from[sequences]),
           .lengths = part.lengths};
  const auto* const data = part.as<DataInput>();
  const Dimension own = axes_.without_ones(from[features]);
  const bool is_known = part.as<Convolution>() != nullptr || part.as<RecurrentNode>() != nullptr;
  const bool fits = is_known ? axes_.are_same(top.steps, part.steps) &&
                                   axes_.are_same(top.sequences, part.sequences)
                             : top.steps.size() <= 1 && top.sequences.size() <= 1;
  if (!fits || !(data != nullptr ? own.size() <= 1 : axes_.are_same(own, below.all_features()))) {
    refuse(node, "input 0: expected steps, sequences and features in their places, found others");
  }
  if (data != nullptr && data->is_whole) refuse(node, "input 0: expected numbers, found tokens");
  return top;
}

void Walk::embed(const Node& node) {
  const TensorPtr table = constant(node, 0);
  const Signal& tokens = signal(node, 1);
  const auto* const data = tokens.part->as<DataInput>();
  if (!is_float(table, 2) || data == nullptr || !data->is_whole || node.integer("axis", 0) != 0) {
    refuse(node, "expected rows of a table for the tokens that come in, found others");
  }
  Signal rows = tokens;
  const Dimension features = axes_.add(table->shape[1]);
  rows.part = std::make_shared<const Part>(Part{.what = Embedding{.table = table},
                                                .below = tokens.part,
                                                .node = &node,
                                                .features = features});
  rows.dimensions.push_back(features);
  set(node, std::move(rows));
}

void Walk::convolve(const Node& node) {
  const Signal& x = signal(node, 0);
  Part part = on_top(node, x, 2, 0, 1);
  if (x.part->as<DataInput>() == nullptr && x.part->as<Embedding>() == nullptr) refuse_part(node);
  Convolution conv{.weight = constant(node, 1), .bias = constant(node, 2)};
  if (!is_float(conv.weight, 3)) refuse(node, "W: expected numbers of 3 dimensions, found others");
  if (conv.bias && (!is_float(conv.bias, 1) || conv.bias->shape[0] != conv.weight->shape[0])) {
    refuse(node, "B: expected a number for each channel, found others");
  }
  const std::int64_t kernel_size = conv.weight->shape[2];
  conv.padding = padding_of(node, kernel_size);
  expect_option(node, "kernel_shape", kernel_size);
  for (const char* name : {"group", "strides", "dilations"}) expect_option(node, name, 1);
  const Integer size = axes_.size_of(x.dimensions[2]);
  const std::int64_t steps =
      size.is_number() ? size.number + 2 * conv.padding - kernel_size + 1 : 0;
  if (conv.padding < 0 || conv.padding >= kernel_size || (size.is_number() && steps < 1)) {
    refuse(node, "pads: expected less than the kernel's size, and a step to come out");
  }
  part.steps = axes_.add(steps);
  part.features = axes_.add(conv.weight->shape[0]);
  part.what = std::move(conv);
  const Dimensions dimensions{part.sequences, part.features, part.steps};
  set(node,
      Signal{.part = std::make_shared<const Part>(std::move(part)), .dimensions = dimensions});
}

void Walk::relu(const Node& node) {
  if (as_step(input(node, 0))) return activate(node);
  Signal x = signal(node, 0);
  const auto* const conv = x.part->as<Convolution>();
  if (conv == nullptr) refuse_part(node);
  Part part = *x.part;
  std::get<Convolution>(part.what).has_relu = true;
  x.part = std::make_shared<const Part>(std::move(part));
  set(node, std::move(x));
}

void Walk::max_pool(const Node& node) {
  const Signal& x = signal(node, 0);
  const auto* const conv = x.part->as<Convolution>();
  if (conv == nullptr || conv->pool_size != 1) refuse_part(node);
  const std::int64_t pool_size = only(node, "kernel_shape", 1);
  if (pool_size < 1) refuse(node, "kernel_shape: expected at least 1");
  if (only(node, "strides", 1) != pool_size || padding_of(node, pool_size) != 0) {
    refuse(node, fmt::format("expected strides {} and no padding, found others", pool_size));
  }
  expect_option(node, "ceil_mode", 0);
  expect_option(node, "dilations", 1);
  Part part = *x.part;
  if (x.dimensions.size() != 3 ||
      !axes_.are_same(x.dimensions, {part.sequences, part.features, part.steps})) {
    refuse(node, "input 0: expected sequences, channels and steps, found others");
  }
  const Integer size = axes_.size_of(part.steps);
  if (size.is_number() && size.number < pool_size) refuse(node, "expected a step to come out");
  part.steps = axes_.add(size.is_number() ? size.number / pool_size : 0);
  std::get<Convolution>(part.what).pool_size = pool_size;
  const Dimensions dimensions{part.sequences, part.features, part.steps};
  set(node,
      Signal{.part = std::make_shared<const Part>(std::move(part)), .dimensions = dimensions});
}

/// Fails for initial states of other units than the weights', as PyTorch exports a layer with
/// proj_size, whose projection is lost, and for other states than those that a model begins with.
void Walk::expect_zeros(const Node& node, std::size_t index, const RecurrentNode& layer) {
  if (!has_input(node, index)) return;
  const Value& state = input(node, index);
  Integers shape;
  if (const auto* const zeros = std::get_if<Zeros>(&state)) {
    shape = zeros->shape;
    if (!zeros->input.empty()) given_states_.insert(zeros->input);
  } else if (const auto* const tensor = std::get_if<TensorPtr>(&state);
             tensor != nullptr && (*tensor)->is_all_zeros()) {
    for (const std::int64_t size : (*tensor)->shape) shape.push_back({.number = size});
  } else {
    refuse(node, fmt::format("input {}: expected an initial state of zeros, found '{}'", index,
                             node.inputs[index]));
  }
  const auto differs = [&](std::size_t axis, std::int64_t expected) {
    const Integer size = axes_.resolve(shape[axis]);
    return size.is_number() && size.number != expected;
  };
  if (shape.size() != 3 || differs(0, layer.directions) || differs(2, layer.hidden_size)) {
    refuse(node,
           fmt::format("input {}: expected initial states of {} directions and {} units, found {}",
                       index, layer.directions, layer.hidden_size, to_text(shape)));
  }
}

/// The input that tells the steps of each sequence; empty if all have all.
std::string Walk::lengths_of(const Node& node, const Part& layer) {
  if (!has_input(node, 4)) return {};
  const Value& found = input(node, 4);
  if (const auto* const lengths = std::get_if<Lengths>(&found)) return lengths->input;
  const auto* const tensor = std::get_if<TensorPtr>(&found);
  const Integer all = axes_.size_of(layer.steps);
  if (tensor == nullptr || !(*tensor)->is_whole() ||
      std::ranges::any_of((*tensor)->integers(), [&](const Integer& length) {
        return !length.is_known || axes_.resolve(length) != all;
      })) {
    refuse(node, fmt::format("input 4: expected all steps or an input of lengths, found '{}'",
                             node.inputs[4]));
  }
  return {};
}

void Walk::recur(const Node& node) {
  const Signal& x = signal(node, 0);
  RecurrentNode layer =
      read_recurrent(node, constant(node, 1), constant(node, 2), constant(node, 3));
  Part part = on_top(node, x, 0, 1, 2);
  const Integer size = axes_.size_of(x.dimensions[2]);
  if (size.is_number() && size.number != layer.input_size) {
    refuse(node,
           fmt::format("input 0: expected {} features, found {}", layer.input_size, size.number));
  }
  part.lengths = lengths_of(node, part);
  const bool is_first = x.part->as<RecurrentNode>() == nullptr;
  if (is_first ? !part.lengths.empty() && x.part->as<Convolution>() != nullptr
               : part.lengths != x.part->lengths) {
    refuse(node, "input 4: expected the lengths that the data have, in each layer");
  }
  expect_zeros(node, 5, layer);
  expect_zeros(node, 6, layer);
  if (const TensorPtr peepholes = constant(node, 7); peepholes && !peepholes->is_all_zeros()) {
    refuse(node, "expected no peepholes");
  }
  if (x.is_of_reverse_layer()) {
    layer.input_size *= 2;
    layer.w = behind_zeros(layer.w, folder_);
  }
  if (layer.is_reverse) layer = with_forward_of_zeros(std::move(layer), folder_);
  part.num_directions = layer.directions;
  part.directions = axes_.add(layer.directions);
  part.features = axes_.add(layer.hidden_size);
  part.what = std::move(layer);
  const auto made = std::make_shared<const Part>(std::move(part));
  const bool is_reverse = made->as<RecurrentNode>()->is_reverse;
  const Dimensions state{is_reverse ? Dimension{} : made->directions, made->sequences,
                         made->features};
  Dimensions steps = state;
  steps.insert(steps.begin(), made->steps);
  Signal output{.part = made, .dimensions = steps, .direction = is_reverse ? 1 : -1};
  set(node, output, 0);
  output.dimensions = state;
  output.taken = Taken::final;
  set(node, output, 1);
  output.taken = Taken::cell;
  set(node, std::move(output), 2);
}

}  // namespace quadgate::graph
