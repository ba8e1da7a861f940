#include "io/graph/recurrent_node.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

namespace quadgate::graph {
namespace {

/// What a kind of node is in PyTorch.
struct Kind {
  std::string_view op;
  Cell cell;
  std::vector<std::string> activations;
  std::vector<std::size_t> gates;  // of PyTorch's, in ONNX's order
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kinds{
      {"LSTM", Cell::lstm, {"sigmoid", "tanh", "tanh"}, {0, 3, 1, 2}},
      {"GRU", Cell::gru, {"sigmoid", "tanh"}, {1, 0, 2}},
      {"RNN", Cell::rnn_tanh, {"tanh"}, {0}},
      {"RNN", Cell::rnn_relu, {"relu"}, {0}}};
  return kinds;
}

const Kind& kind_of(Cell cell) { return *std::ranges::find(kinds(), cell, &Kind::cell); }

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Cell cell_of(const Node& node, std::int64_t directions) {
  const Attribute* const given = node.attribute("activations");
  for (const Kind& kind : kinds()) {
    if (kind.op != node.op) continue;
    std::vector<std::string> expected;
    for (std::int64_t i = 0; i < directions; ++i) {
      expected.insert(expected.end(), kind.activations.begin(), kind.activations.end());
    }
    if (given == nullptr || std::ranges::equal(given->texts, expected, {}, lower)) return kind.cell;
  }
  refuse(node, fmt::format("activations: expected those of PyTorch's cells, found {}",
                           fmt::join(given->texts, ", ")));
}

void expect_options(const Node& node) {
  for (const char* other : {"clip", "activation_alpha", "activation_beta"}) {
    const Attribute* const found = node.attribute(other);
    if (found != nullptr && !found->is_empty) refuse(node, fmt::format("expected no {}", other));
  }
  for (const auto& [name, expected] :
       {std::pair{"layout", 0}, {"input_forget", 0}, {"linear_before_reset", 1}}) {
    if (expected == 1 && node.op != "GRU") continue;
    const std::int64_t found = node.integer(name, 0);
    if (found != expected) {
      refuse(node, fmt::format("{}: expected {}, found {}", name, expected, found));
    }
  }
}

std::string direction_of(const Node& node) {
  const Attribute* const found = node.attribute("direction");
  std::string direction =
      found == nullptr || found->texts.empty() ? "forward" : lower(found->texts.front());
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    refuse(node, fmt::format("direction: expected forward, reverse or bidirectional, found {}",
                             direction));
  }
  return direction;
}

TensorPtr zeros_like(const TensorPtr& tensor, Folder& folder) {
  return std::make_shared<const Tensor>(
      Tensor{.shape = tensor->shape, .values = Floats(folder.take_room(tensor->shape))});
}

void expect_shape(const Node& node, const char* name, const TensorPtr& tensor, const Shape& shape) {
  if (tensor->shape != shape || tensor->is_whole()) {
    refuse(node, fmt::format("{}: expected numbers of shape ({}), found ({})", name,
                             fmt::join(shape, ", "), fmt::join(tensor->shape, ", ")));
  }
}

}  // namespace

RecurrentNode read_recurrent(const Node& node, TensorPtr w, TensorPtr r, TensorPtr b) {
  const std::string direction = direction_of(node);
  RecurrentNode layer{.directions = direction == "bidirectional" ? 2 : 1,
                      .is_reverse = direction == "reverse"};
  expect_options(node);
  layer.cell = cell_of(node, layer.directions);
  if (!w || !r || w->shape.size() != 3 || r->shape.size() != 3 || w->size() == 0 ||
      r->size() == 0) {
    refuse(node, "expected weights W and R of 3 dimensions, found others");
  }
  layer.input_size = w->shape[2];
  layer.hidden_size = node.integer("hidden_size", r->shape[2]);
  const std::int64_t rows = num_gates(layer.cell) * r->shape[2];
  if (layer.hidden_size != r->shape[2]) {
    refuse(node, fmt::format("hidden_size: expected {}, as R has, found {}", r->shape[2],
                             layer.hidden_size));
  }
  expect_shape(node, "W", w, {layer.directions, rows, layer.input_size});
  expect_shape(node, "R", r, {layer.directions, rows, layer.hidden_size});
  if (b) expect_shape(node, "B", b, {layer.directions, 2 * rows});
  layer.w = std::move(w);
  layer.r = std::move(r);
  layer.b = std::move(b);
  return layer;
}

RecurrentNode with_forward_of_zeros(RecurrentNode layer, Folder& folder) {
  layer.directions = 2;
  for (TensorPtr* const weight : {&layer.w, &layer.r, &layer.b}) {
    if (!*weight) continue;
    *weight =
        std::make_shared<const Tensor>(folder.concat({zeros_like(*weight, folder), *weight}, 0));
  }
  return layer;
}

TensorPtr behind_zeros(const TensorPtr& weight, Folder& folder) {
  return std::make_shared<const Tensor>(
      folder.concat({zeros_like(weight, folder), weight}, weight->shape.size() - 1));
}

void add_tensors(const RecurrentNode& from, std::int64_t layer, bool bias, Folder& folder,
                 std::vector<NamedTensor>& to) {
  const std::vector<std::size_t>& gates = kind_of(from.cell).gates;
  const std::int64_t rows = std::ssize(gates) * from.hidden_size;
  // Piece number `piece` of all directions' numbers, of that shape.
  const auto add = [&](const TensorPtr& numbers, std::int64_t piece, std::string name,
                       Shape shape) {
    const std::size_t count = folder.take_room(shape);
    NamedTensor tensor{.name = std::move(name), .shape = std::move(shape), .values = {}};
    tensor.values.resize(count);
    const std::size_t of_gate = count / gates.size();
    for (std::size_t gate = 0; numbers && gate < gates.size(); ++gate) {
      const float* const begin = numbers->floats().data() + static_cast<std::size_t>(piece) * count;
      std::copy_n(begin + gate * of_gate, of_gate, tensor.values.data() + gates[gate] * of_gate);
    }
    to.push_back(std::move(tensor));
  };
  for (std::int64_t d = 0; d < from.directions; ++d) {
    const std::string suffix = fmt::format("_l{}{}", layer, d == 0 ? "" : "_reverse");
    add(from.w, d, "rnn.weight_ih" + suffix, {rows, from.input_size});
    add(from.r, d, "rnn.weight_hh" + suffix, {rows, from.hidden_size});
    if (!bias) continue;
    add(from.b, 2 * d, "rnn.bias_ih" + suffix, {rows});
    add(from.b, 2 * d + 1, "rnn.bias_hh" + suffix, {rows});
  }
}

}  // namespace quadgate::graph
