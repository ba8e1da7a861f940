#include "io/graph/graph_file.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "io/graph/constant_reader.h"

namespace quadgate::graph {

const Attribute* Node::attribute(std::string_view key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? nullptr : &found->second;
}

std::int64_t Node::integer(std::string_view key, std::int64_t otherwise) const {
  const Attribute* const found = attribute(key);
  return found == nullptr || found->integers.size() != 1 ? otherwise : found->integers.front();
}

void refuse(const Node& node, const std::string& reason) {
  const std::string& output = node.outputs.empty() ? node.op : node.outputs.front();
  throw NodeError(
      fmt::format("{} node '{}': {}", node.op, node.name.empty() ? output : node.name, reason));
}

struct GraphFile::Impl {
  explicit Impl(std::filesystem::path folder) : constants(std::move(folder)) {}

  onnx::ModelProto model;
  std::size_t bytes = 0;  // of the file
  ConstantReader constants;
  std::unordered_map<std::string, const onnx::TensorProto*> found;  // constants
  std::unordered_map<std::string, TensorPtr> read;  // those of them that were asked for
  std::vector<Node> nodes;
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::string> metadata;

  void list_inputs() {
    for (const auto& value : model.graph().input()) {
      if (found.contains(value.name())) continue;
      const auto& type = value.type().tensor_type();
      Input& input = inputs.emplace_back(
          Input{.name = value.name(), .is_whole = is_whole_type(type.elem_type())});
      if (!type.has_shape()) continue;
      input.shape.emplace();
      for (const auto& size : type.shape().dim()) {
        input.shape->push_back(std::max<std::int64_t>(size.dim_value(), 0));
      }
    }
  }

  void add_node(const onnx::NodeProto& from) {
    if (from.op_type() == "Constant" && from.output_size() == 1 && from.attribute_size() == 1) {
      return add_constant(from);
    }
    const bool is_own = from.domain().empty() || from.domain() == "ai.onnx";
    Node& node = nodes.emplace_back(
        Node{.op = is_own ? from.op_type() : from.domain() + "." + from.op_type(),
             .name = from.name(),
             .inputs = {from.input().begin(), from.input().end()},
             .outputs = {from.output().begin(), from.output().end()},
             .attributes = {}});
    for (const auto& attribute : from.attribute()) {
      Attribute& to = node.attributes[attribute.name()];
      to.integers.assign(attribute.ints().begin(), attribute.ints().end());
      to.texts.assign(attribute.strings().begin(), attribute.strings().end());
      if (attribute.type() == onnx::AttributeProto::INT) to.integers = {attribute.i()};
      if (attribute.type() == onnx::AttributeProto::STRING) to.texts = {attribute.s()};
      to.is_empty =
          attribute.floats_size() == 0 && attribute.type() == onnx::AttributeProto::FLOATS;
      if (attribute.type() == onnx::AttributeProto::FLOAT) {
        to.tensor =
            std::make_shared<const Tensor>(Tensor{.shape = {}, .values = Floats{attribute.f()}});
      }
      if (attribute.has_t() && from.op_type() == "ConstantOfShape") {
        to.tensor = constants.read(attribute.t());
      }
    }
  }

  /// A node that has a constant as its attribute.
  void add_constant(const onnx::NodeProto& from) {
    const auto& attribute = from.attribute(0);
    const std::string& name = from.output(0);
    if (attribute.has_t()) {
      found[name] = &attribute.t();
      return;
    }
    Tensor value;
    if (attribute.type() == onnx::AttributeProto::FLOAT) value.values = Floats{attribute.f()};
    if (attribute.type() == onnx::AttributeProto::INT) value.values = Integers{{attribute.i()}};
    if (attribute.type() == onnx::AttributeProto::FLOATS) {
      value = {.shape = {attribute.floats_size()},
               .values = Floats{attribute.floats().begin(), attribute.floats().end()}};
    }
    if (attribute.type() == onnx::AttributeProto::INTS) {
      Integers numbers;
      for (const std::int64_t number : attribute.ints()) numbers.push_back({.number = number});
      value = {.shape = {attribute.ints_size()}, .values = std::move(numbers)};
    }
    if (value.size() > 0) read[name] = std::make_shared<const Tensor>(std::move(value));
  }
};

GraphFile::GraphFile(std::span<const std::byte> bytes, std::filesystem::path folder)
    : impl_(std::make_unique<Impl>(std::move(folder))) {
  impl_->bytes = bytes.size();
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  onnx::ModelProto& model = impl_->model;
  if (bytes.size() > kMost || !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !model.has_graph()) {
    throw FileError("expected an ONNX model, found something else or a damaged one");
  }
  for (const auto& tensor : model.graph().initializer()) impl_->found[tensor.name()] = &tensor;
  for (const auto& node : model.graph().node()) impl_->add_node(node);
  impl_->list_inputs();
  for (const auto& output : model.graph().output()) impl_->outputs.push_back(output.name());
  for (const auto& property : model.metadata_props()) {
    impl_->metadata[property.key()] = property.value();
  }
}

GraphFile::~GraphFile() = default;

const std::vector<Node>& GraphFile::nodes() const { return impl_->nodes; }
const std::vector<Input>& GraphFile::inputs() const { return impl_->inputs; }
const std::vector<std::string>& GraphFile::outputs() const { return impl_->outputs; }
const std::map<std::string, std::string>& GraphFile::metadata() const { return impl_->metadata; }

TensorPtr GraphFile::constant(const std::string& name) {
  if (const auto known = impl_->read.find(name); known != impl_->read.end()) return known->second;
  const auto found = impl_->found.find(name);
  if (found == impl_->found.end()) return nullptr;
  return impl_->read[name] = impl_->constants.read(*found->second);
}

std::size_t GraphFile::most_numbers() const {
  constexpr std::size_t kMostTimes = 2;  // four bytes each
  constexpr std::size_t kFew = 1 << 16;
  return kMostTimes * (impl_->bytes + impl_->constants.bytes()) + kFew;
}

}  // namespace quadgate::graph
