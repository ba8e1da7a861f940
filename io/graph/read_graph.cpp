#include "io/graph/read_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/base/error.h"
#include "io/graph/signal.h"
#include "io/graph/walk.h"

namespace quadgate::graph {
namespace {

NamedTensor named(std::string name, const Tensor& tensor) {
  return {.name = std::move(name), .shape = tensor.shape, .values = tensor.floats()};
}

NamedTensor named_or_zeros(std::string name, const TensorPtr& tensor, std::int64_t size) {
  if (tensor) return named(std::move(name), *tensor);
  return {
      .name = std::move(name), .shape = {size}, .values = Floats(static_cast<std::size_t>(size))};
}

/// From the input to the part itself.
std::vector<const Part*> chain(const PartPtr& top) {
  std::vector<const Part*> parts;
  for (const Part* part = top.get(); part != nullptr; part = part->below.get())
    parts.push_back(part);
  std::ranges::reverse(parts);
  return parts;
}

/// Whether the features of both directions, where one dimension has both, come one after the other.
bool has_features_in_order(const Signal& signal) {
  const Dimension all = signal.part->all_features();
  return std::ranges::none_of(signal.dimensions, [&](const Dimension& dimension) {
    const auto holds = [&](int axis) {
      return std::ranges::find(dimension, axis) != dimension.end();
    };
    return all.size() == 2 && holds(all[0]) && holds(all[1]) &&
           std::search(dimension.begin(), dimension.end(), all.begin(), all.end()) ==
               dimension.end();
  });
}

/// The output that the model is for, among states that come along.
class Outputs {
 public:
  Outputs(const GraphFile& file, const Walk& walk) : file_(file), walk_(walk) {
    for (const std::string& name : file.outputs()) add(name, walk.value(name));
    if (main_ == nullptr)
      throw FileError("expected an output that depends on the input, found none");
    const auto parts = chain(main_->part);
    for (const auto& [name, signal] : found_) {
      const bool is_state = signal.taken == Taken::final || signal.taken == Taken::cell;
      const bool is_same = signal.part == main_->part && signal.taken == main_->taken;
      const bool is_below = std::ranges::find(parts, signal.part.get()) != parts.end();
      if (!is_same && !(is_state && is_below && signal.part->as<RecurrentNode>() != nullptr)) {
        throw FileError(
            fmt::format("output '{}': expected one output and final states, found another", name));
      }
    }
  }

  const Signal& main() const { return *main_; }

 private:
  void add(const std::string& name, const Value& value) {
    const auto* const stack = std::get_if<Stack>(&value);
    const auto* const signal = std::get_if<Signal>(&value);
    const auto* const step = std::get_if<Unrolled>(&value);
    if (step != nullptr && walk_.is_final(*step)) return;  // it comes along
    if (signal == nullptr && stack == nullptr) fail(name);
    if (signal != nullptr) found_.emplace_back(name, *signal);
    for (std::size_t i = 0; stack != nullptr && i < stack->states.size(); ++i) {
      found_.emplace_back(name, stack->states[i]);
    }
    main_ = &std::ranges::max_element(found_, {}, [](const auto& one) {
               return std::pair(chain(one.second.part).size(), one.second.taken == Taken::every);
             })->second;
  }

  [[noreturn]] void fail(const std::string& name) const {
    for (const Node& node : file_.nodes()) {
      if (std::ranges::find(node.outputs, name) == node.outputs.end()) continue;
      refuse(node, "expected what a model of quadgate's puts out, found another computation");
    }
    throw FileError(fmt::format("output '{}': expected what depends on the input", name));
  }

  const GraphFile& file_;
  const Walk& walk_;
  std::vector<std::pair<std::string, Signal>> found_;
  const Signal* main_ = nullptr;
};

/// Puts the parts together.
class Builder {
 public:
  explicit Builder(Walk& walk) : walk_(walk) {}

  GraphModel run(const Signal& output) {
    const auto parts = chain(output.part);
    for (const Part* part : parts) has_bias_ = has_bias_ || has_bias(*part);
    for (const Part* part : parts) add(*part);
    if (config().rnn.num_layers == 0) {
      throw FileError("expected an LSTM, GRU or RNN node between input and output, found none");
    }
    expect_whole(output);
    if (output.taken == Taken::mean) config().pooling = Pooling::mean;
    if (output.taken == Taken::max) config().pooling = Pooling::max;
    if (output.taken == Taken::every && config().output_size > 0) config().task = Task::tagging;
    if (!walk_.given_states().empty()) {
      model_.notes.push_back(fmt::format(
          "initial states are inputs of the graph ('{}'); here they are zeros at the beginning",
          fmt::join(walk_.given_states(), "', '")));
    }
    if (direction_ == "reverse") {
      model_.notes.emplace_back(
          "layers that read from the last step to the first are the reverse direction of "
          "bidirectional ones, whose forward direction is zeros");
    }
    return std::move(model_);
  }

 private:
  ModelConfig& config() { return model_.config; }

  static bool has_bias(const Part& part) {
    const auto* const layer = part.as<RecurrentNode>();
    return layer != nullptr && layer->b != nullptr;
  }

  static std::string_view direction_of(const RecurrentNode& layer) {
    return layer.is_reverse ? "reverse" : layer.directions == 2 ? "bidirectional" : "forward";
  }

  void expect_whole(const Signal& output) {
    if (output.is_of_reverse_layer()) {
      refuse(*output.part->node, "direction: expected a head behind reverse, found none");
    }
    const bool is_part = output.is_one_step() || output.direction != -1;
    if (is_part && output.by != nullptr) {
      refuse(*output.by,
             "expected the last step of each direction, found other steps or one direction");
    }
    if (is_part || output.taken == Taken::cell || !has_features_in_order(output)) {
      refuse(*output.part->node, "expected features of all directions in order, found others");
    }
  }

  void add(const Part& part) {
    if (const auto* const embedding = part.as<Embedding>()) {
      config().embedding.vocabulary_size = embedding->table->shape[0];
      add_tensor(named("embedding.weight", *embedding->table));
      table_ = embedding->table;
    }
    if (const auto* const conv = part.as<Convolution>()) add(*conv);
    if (const auto* const layer = part.as<RecurrentNode>()) add(*part.node, *layer);
    if (const auto* const head = part.as<Linear>()) add(*head);
  }

  void add(const Convolution& conv) {
    const Shape& shape = conv.weight->shape;
    config().conv = ConvConfig{.input_size = shape[1],
                               .channels = shape[0],
                               .kernel_size = shape[2],
                               .padding = conv.padding,
                               .pool_size = conv.pool_size};
    add_tensor(named("conv.weight", *conv.weight));
    add_tensor(named_or_zeros("conv.bias", conv.bias, shape[0]));
  }

  void add(const Node& node, const RecurrentNode& layer) {
    RecurrentConfig& rnn = config().rnn;
    if (rnn.num_layers == 0) {
      rnn.cell = layer.cell;
      rnn.input_size = layer.input_size;
      rnn.hidden_size = layer.hidden_size;
      rnn.bidirectional = layer.directions == 2;
      rnn.bias = has_bias_;
      direction_ = direction_of(layer);
    }
    const auto expect = [&](const char* what, auto expected, auto found) {
      if (expected == found) return;
      refuse(node, fmt::format("{}: expected {}, as in the layer below, found {}", what, expected,
                               found));
    };
    expect("cell", to_string(rnn.cell), to_string(layer.cell));
    expect("direction", direction_, direction_of(layer));
    expect("hidden_size", rnn.hidden_size, layer.hidden_size);
    add_tensors(layer, rnn.num_layers++, has_bias_, walk_.folder(), model_.tensors);
  }

  void add(const Linear& head) {
    const std::int64_t outputs = head.weight->shape[0];
    config().output_size = outputs;
    config().embedding.tie_weights =
        table_ && table_->shape == head.weight->shape && table_->floats() == head.weight->floats();
    add_tensor(named("head.weight", *head.weight));
    add_tensor(named_or_zeros("head.bias", head.bias, outputs));
  }

  void add_tensor(NamedTensor tensor) { model_.tensors.push_back(std::move(tensor)); }

  Walk& walk_;
  GraphModel model_{.config = {.rnn = {.num_layers = 0}}, .tensors = {}, .notes = {}};
  bool has_bias_ = false;         // in some layer
  std::string_view direction_{};  // of all layers
  TensorPtr table_{};             // of the embedding
};

}  // namespace

GraphModel read_graph(GraphFile& file) {
  Walk walk(file);
  walk.run();
  const Outputs outputs(file, walk);
  return Builder(walk).run(outputs.main());
}

TensorFile read_own_graph(GraphFile& file) {
  TensorFile own{.tensors = {}, .metadata = file.metadata()};
  Folder folder(file.most_numbers());
  std::int64_t layer = 0;
  for (const Node& node : file.nodes()) {
    if (!node.is_recurrent()) continue;
    const auto input = [&](std::size_t index) {
      return index < node.inputs.size() ? file.constant(node.inputs[index]) : nullptr;
    };
    const RecurrentNode found = read_recurrent(node, input(1), input(2), input(3));
    add_tensors(found, layer++, found.b != nullptr, folder, own.tensors);
  }
  for (const char* name : {"embedding.weight", "norm.affine_weight", "norm.affine_bias",
                           "conv.weight", "conv.bias", "head.weight", "head.bias"}) {
    const TensorPtr found = file.constant(name);
    if (found && !found->is_whole()) own.tensors.push_back(named(name, *found));
  }
  return own;
}

}  // namespace quadgate::graph
