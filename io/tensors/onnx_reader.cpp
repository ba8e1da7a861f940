#include "io/tensors/onnx_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {
namespace {

/// What a kind of node is in PyTorch.
struct Kind {
  std::string_view op;
  std::string_view cell;
  std::vector<std::string> activations;
  std::vector<std::size_t> gates;  // of PyTorch's, in ONNX's order
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kinds{{"LSTM", "lstm", {"Sigmoid", "Tanh", "Tanh"}, {0, 3, 1, 2}},
                                       {"GRU", "gru", {"Sigmoid", "Tanh"}, {1, 0, 2}},
                                       {"RNN", "rnn_tanh", {"Tanh"}, {0}},
                                       {"RNN", "rnn_relu", {"Relu"}, {0}}};
  return kinds;
}

std::optional<ElementType> element_type(std::int32_t type) {
  switch (type) {
    case onnx::TensorProto::DOUBLE:
      return ElementType::f64;
    case onnx::TensorProto::FLOAT:
      return ElementType::f32;
    case onnx::TensorProto::FLOAT16:
      return ElementType::f16;
    case onnx::TensorProto::BFLOAT16:
      return ElementType::bf16;
    default:
      return {};
  }
}

/// Reads one file.
class OnnxParser {
 public:
  OnnxParser(std::span<const std::byte> bytes, std::string name, std::filesystem::path folder)
      : name_(std::move(name)), folder_(std::move(folder)), room_(kMostTimes * bytes.size()) {
    constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
    if (bytes.size() > kMost ||
        !model_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        !model_.has_graph()) {
      fail("expected an ONNX model, found something else or a damaged one");
    }
    for (const auto& tensor : model_.graph().initializer()) constants_[tensor.name()] = &tensor;
    for (const auto& node : model_.graph().node()) {
      if (node.op_type() == "Constant" && node.output_size() == 1 && node.attribute_size() == 1 &&
          node.attribute(0).has_t()) {
        constants_[node.output(0)] = &node.attribute(0).t();
      }
    }
  }

  TensorFile run() {
    std::int64_t layer = 0;
    for (const auto& node : model_.graph().node()) {
      const std::string& op = node.op_type();
      if (op == "LSTM" || op == "GRU" || op == "RNN") add_layer(node, layer++);
    }
    if (layer == 0) fail("expected an LSTM, GRU or RNN node, found none");
    for (const char* parameter :
         {"embedding.weight", "conv.weight", "conv.bias", "head.weight", "head.bias"}) {
      const auto found = constants_.find(parameter);
      if (found != constants_.end()) file_.tensors.push_back(tensor(*found->second));
    }
    for (const auto& property : model_.metadata_props()) {
      file_.metadata[property.key()] = property.value();
    }
    return std::move(file_);
  }

 private:
  using Node = onnx::NodeProto;

  static constexpr std::size_t kMostTimes = 8;

  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }
  [[noreturn]] void fail(const Node& node, const std::string& reason) const {
    fail(fmt::format("{} node '{}': {}", node.op_type(), node.name(), reason));
  }

  NamedTensor tensor(const onnx::TensorProto& from) {
    NamedTensor tensor{
        .name = from.name(), .shape = {from.dims().begin(), from.dims().end()}, .values = {}};
    const auto type = element_type(from.data_type());
    if (!type) {
      fail(fmt::format("constant '{}': expected f64, f32, f16 or bf16 numbers", from.name()));
    }
    const auto expect = [&](std::size_t found) {
      if (count_elements(tensor.shape, std::numeric_limits<std::int32_t>::max()) !=
          static_cast<std::int64_t>(found)) {
        fail(fmt::format("constant '{}': expected as many numbers as its shape ({}) has, found {}",
                         from.name(), fmt::join(tensor.shape, ", "), found));
      }
    };
    if (from.float_data_size() > 0 && *type == ElementType::f32) {
      expect(static_cast<std::size_t>(from.float_data_size()));
      tensor.values.assign(from.float_data().begin(), from.float_data().end());
      return tensor;
    }
    const std::size_t size = size_of(*type);
    const auto raw = from.data_location() == onnx::TensorProto::EXTERNAL
                         ? outside(from)
                         : std::as_bytes(std::span(from.raw_data()));
    expect(raw.size() / size);
    for (std::size_t i = 0; i < raw.size() / size; ++i) {
      tensor.values.push_back(to_float(*type, raw.data() + i * size));
    }
    return tensor;
  }

  /// The bytes of a constant that lies in another file of the folder.
  std::span<const std::byte> outside(const onnx::TensorProto& from) {
    std::map<std::string, std::string> where{{"offset", "0"}};
    for (const auto& entry : from.external_data()) where[entry.key()] = entry.value();
    const std::filesystem::path location = where["location"];
    if (folder_.empty() || location.empty() || location != location.filename()) {
      fail(fmt::format("constant '{}': expected a file beside this one, found '{}'", from.name(),
                       location.string()));
    }
    auto [file, is_new] = files_.try_emplace(location.string());
    if (is_new) {
      file->second = read_bytes(folder_ / location);
      room_ += kMostTimes * file->second.size();
    }
    const std::span<const std::byte> bytes(file->second);
    const auto offset = integer(where["offset"]);
    const auto length =
        where.contains("length") ? integer(where["length"]) : std::ssize(bytes) - offset;
    if (offset < 0 || length < 0 || offset > std::ssize(bytes) ||
        length > std::ssize(bytes) - offset) {
      fail(fmt::format("constant '{}': expected bytes within the {} of '{}'", from.name(),
                       bytes.size(), location.string()));
    }
    return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  }

  /// Below 0 if it is none.
  static std::int64_t integer(const std::string& text) {
    std::int64_t value = -1;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && rest == end ? value : -1;
  }

  /// Input number `index` of a node, which must be a constant; empty if the node has none.
  std::optional<NamedTensor> input(const Node& node, int index) {
    if (index >= node.input_size() || node.input(index).empty()) return {};
    const auto found = constants_.find(node.input(index));
    if (found == constants_.end()) {
      fail(node,
           fmt::format("input {}: expected a constant, found '{}'", index, node.input(index)));
    }
    return tensor(*found->second);
  }

  const onnx::AttributeProto* attribute(const Node& node, std::string_view name) const {
    const auto found = std::ranges::find_if(
        node.attribute(), [&](const auto& attribute) { return attribute.name() == name; });
    return found == node.attribute().end() ? nullptr : &*found;
  }

  /// Which cell it is, in all directions; fails for what PyTorch has no cell for.
  const Kind& kind_of(const Node& node, std::int64_t directions) const {
    for (const char* other : {"clip", "activation_alpha", "activation_beta"}) {
      if (attribute(node, other) != nullptr) fail(node, fmt::format("expected no {}", other));
    }
    for (const auto& [name, expected] :
         {std::pair{"layout", 0}, {"input_forget", 0}, {"linear_before_reset", 1}}) {
      if (expected == 1 && node.op_type() != "GRU") continue;
      const auto* const found = attribute(node, name);
      if ((found == nullptr ? 0 : found->i()) != expected) {
        fail(node, fmt::format("{}: expected {}", name, expected));
      }
    }
    const auto* const given = attribute(node, "activations");
    for (const Kind& kind : kinds()) {
      if (kind.op != node.op_type()) continue;
      std::vector<std::string> expected;
      for (std::int64_t i = 0; i < directions; ++i) {
        expected.insert(expected.end(), kind.activations.begin(), kind.activations.end());
      }
      if (given == nullptr || std::ranges::equal(given->strings(), expected)) return kind;
    }
    fail(node, fmt::format("activations: expected those of PyTorch's cells, found {}",
                           fmt::join(given->strings(), ", ")));
  }

  void add_layer(const Node& node, std::int64_t layer) {
    const auto w = input(node, 1);
    const auto r = input(node, 2);
    const auto b = input(node, 3);
    constexpr int kPeepholes = 7;
    if (!w || !r || w->shape.size() != 3 || r->shape.size() != 3) {
      fail(node, "expected weights W and R of 3 dimensions");
    }
    if (input(node, kPeepholes)) fail(node, "expected no peepholes");
    const auto* const direction = attribute(node, "direction");
    const std::string named = direction == nullptr ? "forward" : direction->s();
    const std::int64_t directions = named == "bidirectional" ? 2 : 1;
    if (named == "reverse") fail(node, "direction: expected forward or bidirectional");
    const Kind& kind = kind_of(node, directions);
    const auto [cell, is_new] = file_.metadata.try_emplace(kCellKey, kind.cell);
    if (!is_new && cell->second != kind.cell) {
      fail(node, fmt::format("expected a cell {} as in the layer below", cell->second));
    }
    expect_gates(node, kind, *w, directions);
    expect_gates(node, kind, *r, directions);
    expect_states(node, directions, r->shape[2]);
    for (std::int64_t d = 0; d < directions; ++d) {
      const std::string suffix = fmt::format("_l{}{}", layer, d == 0 ? "" : "_reverse");
      add_part(kind, *w, d, 0, 1, "rnn.weight_ih" + suffix);
      add_part(kind, *r, d, 0, 1, "rnn.weight_hh" + suffix);
      if (!b) continue;
      if (b->shape != std::vector{directions, 2 * w->shape[1]}) {
        fail(node, "expected biases B of each direction, two for each gate and unit");
      }
      add_part(kind, *b, d, 0, 2, "rnn.bias_ih" + suffix);
      add_part(kind, *b, d, 1, 2, "rnn.bias_hh" + suffix);
    }
  }

  void expect_gates(const Node& node, const Kind& kind, const NamedTensor& weights,
                    std::int64_t directions) const {
    const auto gates = std::ssize(kind.gates);
    if (weights.shape[0] != directions || weights.shape[1] < 1 || weights.shape[1] % gates != 0 ||
        weights.shape[2] < 1) {
      fail(node, fmt::format("expected weights of {} directions and {} gates, found ({})",
                             directions, gates, fmt::join(weights.shape, ", ")));
    }
  }

  /// Fails for initial states of other units than the weights', as PyTorch exports a layer with
  /// proj_size, whose projection is lost, and for other states than those that a model begins with.
  void expect_states(const Node& node, std::int64_t directions, std::int64_t hidden_size) {
    for (const int index : {5, 6}) {
      if (index >= node.input_size() || !constants_.contains(node.input(index))) continue;
      const NamedTensor state = *input(node, index);
      if (state.shape.size() != 3 || state.shape[0] != directions ||
          state.shape[2] != hidden_size) {
        fail(node,
             fmt::format("input {}: expected states of {} directions and {} units, found ({})",
                         index, directions, hidden_size, fmt::join(state.shape, ", ")));
      }
      if (std::ranges::any_of(state.values, [](float value) { return value != 0; })) {
        fail(node, fmt::format("input {}: expected states of zeros", index));
      }
    }
  }

  /// Piece `piece` of the `pieces` of a direction's weights or biases, with PyTorch's gates.
  void add_part(const Kind& kind, const NamedTensor& from, std::int64_t direction,
                std::size_t piece, std::size_t pieces, const std::string& to) {
    const std::size_t of_direction =
        from.values.size() / static_cast<std::size_t>(from.shape.front());
    const std::size_t of_piece = of_direction / pieces;
    const std::size_t of_gate = of_piece / kind.gates.size();
    if (of_piece * sizeof(float) > room_) {
      fail(fmt::format("expected weights of at most {} times the file's size", kMostTimes));
    }
    room_ -= of_piece * sizeof(float);
    const float* begin =
        from.values.data() + static_cast<std::size_t>(direction) * of_direction + piece * of_piece;
    NamedTensor tensor{.name = to,
                       .shape = {from.shape.begin() + 1, from.shape.end()},
                       .values = std::vector<float>(of_piece)};
    tensor.shape.front() /= static_cast<std::int64_t>(pieces);
    for (std::size_t gate = 0; gate < kind.gates.size(); ++gate) {
      std::copy_n(begin + gate * of_gate, of_gate,
                  tensor.values.data() + kind.gates[gate] * of_gate);
    }
    file_.tensors.push_back(std::move(tensor));
  }

  std::string name_;
  std::filesystem::path folder_;
  std::map<std::string, std::vector<std::byte>> files_;  // of constants, by name
  std::size_t room_;  // bytes of weights that may still come: nodes may share them
  onnx::ModelProto model_;
  std::unordered_map<std::string, const onnx::TensorProto*> constants_;
  TensorFile file_;
};

}  // namespace

TensorFile parse_onnx(std::span<const std::byte> bytes, const std::string& name,
                      const std::filesystem::path& folder) {
  return OnnxParser(bytes, name, folder).run();
}

}  // namespace quadgate
