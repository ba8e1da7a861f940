#include "io/model/onnx_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/model/onnx_graph.h"
#include "io/model/onnx_lengths.h"
#include "io/model/onnx_normalization.h"
#include "io/model/onnx_units.h"

namespace quadgate {
namespace {

using Type = OnnxGraph::Type;

/// PyTorch's gates in ONNX's order: i o f g of an LSTM's i f g o, z r n of a GRU's r z n.
std::vector<std::int64_t> onnx_gates(Cell cell) {
  switch (cell) {
    case Cell::lstm:
      return {0, 3, 1, 2};
    case Cell::gru:
      return {1, 0, 2};
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return {0};
}

/// Builds one graph.
class OnnxWriter {
 public:
  OnnxWriter(const ModelDescription& model, const Parameters& parameters)
      : description_(model),
        model_(model.config),
        rnn_(model_.rnn),
        has_states_(model.data.streams.has_value()),
        parameters_(parameters),
        lengths_(graph_),
        normalization_(graph_, lengths_, model_, parameters) {}

  std::vector<std::byte> run(const std::map<std::string, std::string>& metadata) {
    const auto asks = [&](const char* key, const char* value) {
      const auto found = metadata.find(key);
      return found != metadata.end() && found->second == value;
    };
    const bool is_original = asks(kUnitsKey, kOriginal);
    std::string x = load();
    lengths_.add_input();
    if (is_original) x = add_standardization(graph_, x, description_.data);
    if (model_.normalization.is_on()) x = normalization_.apply(x);
    x = model_.conv ? convolve(x) : graph_.transpose(x, {1, 0, 2});
    if (has_states_) load_states();
    for (std::int64_t layer = 0; layer < rnn_.num_layers; ++layer) x = recurrent(layer, x);
    if (has_states_) store_states();
    std::string outputs = model_.task == Task::tagging ? head_at_every_step(x) : head(x);
    if (is_original && model_.task == Task::regression) {
      outputs = add_original_units(graph_, outputs, description_);
    }
    if (asks(kOutputsKey, kProbabilities)) {
      graph_.node("Softmax", {outputs}, {{"axis", std::int64_t{-1}}});
    }
    put_out();
    return graph_.serialize(metadata);
  }

 private:
  std::string constant(const std::string& name) { return add_parameter(graph_, parameters_, name); }

  /// [N, T, I]
  std::string load() {
    if (!model_.has_embedding()) {
      return graph_.input("x", Type::float32, {"N", "T", std::to_string(model_.input_size())});
    }
    const std::string tokens = graph_.input("tokens", Type::int64, {"N", "T"});
    return graph_.node("Gather", {constant("embedding.weight"), tokens});
  }

  /// From x [N, T, I] to [T', N, channels], and so do the lengths. Steps beyond a sequence are
  /// zeros to it, as padding is.
  std::string convolve(const std::string& x) {
    const ConvConfig& conv = *model_.conv;
    const std::string columns = graph_.transpose(x, {0, 2, 1});
    const std::string mask = graph_.unsqueeze(lengths_.inside(x), 1);
    const std::string z = graph_.node("Conv",
                                      {graph_.node("Where", {mask, columns, graph_.scalar(0.0F)}),
                                       constant("conv.weight"), constant("conv.bias")},
                                      {{"kernel_shape", std::vector{conv.kernel_size}},
                                       {"pads", std::vector{conv.padding, conv.padding}}});
    const std::string pooled = graph_.node(
        "MaxPool", {graph_.node("Relu", {z})},
        {{"kernel_shape", std::vector{conv.pool_size}}, {"strides", std::vector{conv.pool_size}}});
    const std::string windows = graph_.node(
        "Add", {lengths_.as_int64(), graph_.scalar(2 * conv.padding - conv.kernel_size + 1)});
    lengths_.set(graph_.node("Div", {windows, graph_.scalar(conv.pool_size)}));
    return graph_.transpose(pooled, {2, 0, 1});
  }

  /// The initial states of each layer.
  void load_states() {
    for (const char* name : {"h_0", "c_0"}) {
      if (name[0] == 'c' && rnn_.cell != Cell::lstm) continue;
      const std::string states =
          graph_.input(name, Type::float32,
                       {std::to_string(rnn_.num_layers), "N", std::to_string(rnn_.hidden_size)});
      auto& parts = name[0] == 'c' ? c_0_ : h_0_;
      parts = graph_.node("Split", {states}, static_cast<std::size_t>(rnn_.num_layers),
                          {{"axis", std::int64_t{0}}});
    }
  }

  void store_states() {
    const std::vector<std::string> shape{std::to_string(rnn_.num_layers), "N",
                                         std::to_string(rnn_.hidden_size)};
    for (const auto& [name, parts] : {std::pair{"h_n", &h_n_}, std::pair{"c_n", &c_n_}}) {
      if (parts->empty()) continue;
      graph_.node("Concat", *parts, {{"axis", std::int64_t{0}}}, name);
      graph_.output(name, Type::float32, shape);
    }
  }

  /// The rows of a parameter of each direction, gates in ONNX's order, as one constant.
  std::string gate_rows(std::int64_t layer, const std::string& to,
                        const std::vector<std::string>& names) {
    std::vector<float> values;
    std::vector<std::int64_t> shape;
    for (const char* direction : {"", "_reverse"}) {
      if (direction[0] != '\0' && !rnn_.bidirectional) continue;
      for (const std::string& name : names) {
        const ParameterSlice& slice =
            parameters_.slice(fmt::format("rnn.{}_l{}{}", name, layer, direction));
        const auto from = parameters_.value(slice);
        const std::size_t gate_size = slice.size / static_cast<std::size_t>(num_gates(rnn_.cell));
        for (const std::int64_t gate : onnx_gates(rnn_.cell)) {
          const auto rows = from.subspan(static_cast<std::size_t>(gate) * gate_size, gate_size);
          values.insert(values.end(), rows.begin(), rows.end());
        }
        shape = slice.shape;
      }
    }
    shape.front() *= std::ssize(names);
    shape.insert(shape.begin(), rnn_.num_directions());
    return graph_.constant(fmt::format("rnn.{}_l{}", to, layer), shape, values);
  }

  OnnxGraph::Attributes attributes() const {
    OnnxGraph::Attributes attributes{{"hidden_size", rnn_.hidden_size}};
    if (rnn_.bidirectional) attributes.emplace_back("direction", std::string("bidirectional"));
    if (rnn_.cell == Cell::gru) attributes.emplace_back("linear_before_reset", std::int64_t{1});
    if (rnn_.cell == Cell::rnn_relu) {
      attributes.emplace_back(
          "activations",
          std::vector<std::string>(static_cast<std::size_t>(rnn_.num_directions()), "Relu"));
    }
    return attributes;
  }

  /// From x [T, N, features] to the layer's output [T, N, D * H].
  std::string recurrent(std::int64_t layer, const std::string& x) {
    const bool lstm = rnn_.cell == Cell::lstm;
    const auto at = static_cast<std::size_t>(layer);
    std::vector<std::string> inputs{
        x, gate_rows(layer, "W", {"weight_ih"}), gate_rows(layer, "R", {"weight_hh"}),
        rnn_.bias ? gate_rows(layer, "B", {"bias_ih", "bias_hh"}) : "", lengths_.name()};
    if (has_states_) {
      inputs.push_back(h_0_[at]);
      if (lstm) inputs.push_back(c_0_[at]);
    }
    const char* const op = lstm ? "LSTM" : rnn_.cell == Cell::gru ? "GRU" : "RNN";
    const auto outputs = graph_.node(op, inputs, lstm ? 3 : 2, attributes());
    h_n_.push_back(outputs[1]);
    if (lstm) c_n_.push_back(outputs[2]);
    // [T, D, N, H]
    return graph_.node("Reshape", {graph_.transpose(outputs[0], {0, 2, 1, 3}),
                                   graph_.constant({0, 0, rnn_.output_size()})});
  }

  /// That of y [T, N, features] as [T, N, 1].
  std::string mask(const std::string& y) { return graph_.unsqueeze(lengths_.alive(y, 0), 2); }

  /// [N, features]
  std::string pool(const std::string& y) {
    switch (model_.pooling) {
      case Pooling::last: {
        const std::string h_n = graph_.transpose(h_n_.back(), {1, 0, 2});
        return graph_.node("Reshape", {h_n, graph_.constant({0, rnn_.output_size()})});
      }
      case Pooling::mean: {
        const std::string alive = graph_.node("Where", {mask(y), y, graph_.scalar(0.0F)});
        const std::string sum = graph_.node("ReduceSum", {alive, graph_.constant({0})},
                                            {{"keepdims", std::int64_t{0}}});
        return graph_.node("Div", {sum, graph_.unsqueeze(lengths_.as_float(), 1)});
      }
      case Pooling::max:
        break;
    }
    constexpr float kLowest = std::numeric_limits<float>::lowest();
    const std::string alive = graph_.node("Where", {mask(y), y, graph_.scalar(kLowest)});
    return graph_.node("ReduceMax", {alive},
                       {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  }

  std::string head_weight() { return constant(parameters_.head_weight().name); }

  std::string head(const std::string& y) {
    const std::string outputs = graph_.node("Gemm", {pool(y), head_weight(), constant("head.bias")},
                                            {{"transB", std::int64_t{1}}});
    return model_.normalization.is_on() ? normalization_.restore(outputs) : outputs;
  }

  std::string head_at_every_step(const std::string& y) {
    const std::string rows = graph_.transpose(y, {1, 0, 2});
    // A tied weight is a constant already.
    const std::string weight = parameters_.tied() ? parameters_.head_weight().name : head_weight();
    const std::string product = graph_.node("MatMul", {rows, graph_.transpose(weight, {1, 0})});
    return graph_.node("Add", {product, constant("head.bias")});
  }

  /// What the node that was added last gives is the graph's output.
  void put_out() {
    graph_.rename_last("output");
    std::vector<std::string> shape{"N", std::to_string(model_.output_size)};
    if (model_.task == Task::tagging) shape.insert(shape.begin() + 1, "T");
    graph_.output("output", Type::float32, shape);
  }

  const ModelDescription& description_;
  const ModelConfig& model_;
  const RecurrentConfig& rnn_;
  bool has_states_;
  const Parameters& parameters_;
  OnnxGraph graph_;
  OnnxLengths lengths_;
  OnnxNormalization normalization_;
  std::vector<std::string> h_0_, c_0_, h_n_, c_n_;  // of each layer
};

}  // namespace

std::vector<std::byte> to_onnx(const ModelDescription& model, const Parameters& parameters,
                               const std::map<std::string, std::string>& metadata) {
  validate(model.config);
  if (model.config.crf) throw InvalidArgument("ONNX has no crf: expected none, found one");
  if (model.config.rnn.proj_size > 0) {
    throw InvalidArgument(
        fmt::format("ONNX has no proj_size: expected 0, found {}", model.config.rnn.proj_size));
  }
  return OnnxWriter(model, parameters).run(metadata);
}

void write_onnx(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters, const std::map<std::string, std::string>& metadata) {
  try {
    replace_file(path, to_onnx(model, parameters, metadata));
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace quadgate
