#include "io/model/onnx_graph.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::int64_t kOpset = 17;
constexpr std::int64_t kIrVersion = 8;  // that of opset 17

int to_onnx(OnnxGraph::Type type) {
  switch (type) {
    case OnnxGraph::Type::float32:
      return onnx::TensorProto::FLOAT;
    case OnnxGraph::Type::int32:
      return onnx::TensorProto::INT32;
    case OnnxGraph::Type::int64:
      break;
  }
  return onnx::TensorProto::INT64;
}

void describe(const std::string& name, OnnxGraph::Type type, const std::vector<std::string>& shape,
              onnx::ValueInfoProto& value) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(to_onnx(type));
  auto& sizes = *tensor.mutable_shape();
  for (const std::string& text : shape) {
    std::int64_t size = 0;
    auto& dimension = *sizes.add_dim();
    if (std::from_chars(text.data(), text.data() + text.size(), size).ec == std::errc()) {
      dimension.set_dim_value(size);
    } else {
      dimension.set_dim_param(text);
    }
  }
}

template <typename Number>
void fill(onnx::TensorProto& tensor, const std::string& name, OnnxGraph::Type type,
          const std::vector<std::int64_t>& shape, std::span<const Number> values) {
  tensor.set_name(name);
  tensor.set_data_type(to_onnx(type));
  for (const std::int64_t size : shape) tensor.add_dims(size);
  tensor.set_raw_data(values.data(), values.size_bytes());
}

/// Writes the alternatives of an attribute.
struct NodeAttribute {
  onnx::AttributeProto& to;

  void operator()(std::int64_t value) const {
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    to.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) to.add_ints(value);
  }
  void operator()(const std::string& text) const {
    to.set_type(onnx::AttributeProto::STRING);
    to.set_s(text);
  }
  void operator()(const std::vector<std::string>& texts) const {
    to.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& text : texts) to.add_strings(text);
  }
};

}  // namespace

struct OnnxGraph::Impl {
  onnx::ModelProto model;
  int names = 0;

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
  std::string new_name() { return fmt::format("v{}", names++); }
};

OnnxGraph::OnnxGraph() : impl_(std::make_unique<Impl>()) {
  impl_->model.set_ir_version(kIrVersion);
  impl_->model.set_producer_name("quadgate");
  impl_->model.add_opset_import()->set_version(kOpset);
  impl_->graph().set_name("quadgate");
}

OnnxGraph::~OnnxGraph() = default;

std::string OnnxGraph::input(const std::string& name, Type type,
                             const std::vector<std::string>& shape) {
  describe(name, type, shape, *impl_->graph().add_input());
  return name;
}

void OnnxGraph::output(const std::string& name, Type type, const std::vector<std::string>& shape) {
  describe(name, type, shape, *impl_->graph().add_output());
}

std::string OnnxGraph::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                                std::span<const float> values) {
  fill(*impl_->graph().add_initializer(), name, Type::float32, shape, values);
  return name;
}

std::string OnnxGraph::constant(const std::vector<std::int64_t>& values) {
  std::string name = impl_->new_name();
  fill(*impl_->graph().add_initializer(), name, Type::int64, {std::ssize(values)},
       std::span<const std::int64_t>(values));
  return name;
}

std::string OnnxGraph::scalar(std::int64_t value) {
  std::string name = impl_->new_name();
  fill(*impl_->graph().add_initializer(), name, Type::int64, {},
       std::span<const std::int64_t>(&value, 1));
  return name;
}

std::string OnnxGraph::scalar(float value) {
  return constant(impl_->new_name(), {}, std::span<const float>(&value, 1));
}

std::vector<std::string> OnnxGraph::node(const std::string& op,
                                         const std::vector<std::string>& inputs,
                                         std::size_t outputs, const Attributes& attributes) {
  auto& node = *impl_->graph().add_node();
  node.set_op_type(op);
  for (const std::string& name : inputs) node.add_input(name);
  std::vector<std::string> names(outputs);
  for (std::string& name : names) {
    name = impl_->new_name();
    node.add_output(name);
  }
  for (const auto& [name, value] : attributes) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    std::visit(NodeAttribute{attribute}, value);
  }
  return names;
}

std::string OnnxGraph::node(const std::string& op, const std::vector<std::string>& inputs,
                            const Attributes& attributes, const std::string& output) {
  std::string name = node(op, inputs, 1, attributes).front();
  if (output.empty()) return name;
  rename_last(output);
  return output;
}

std::string OnnxGraph::transpose(const std::string& x, const std::vector<std::int64_t>& axes) {
  return node("Transpose", {x}, {{"perm", axes}});
}

std::string OnnxGraph::unsqueeze(const std::string& x, std::int64_t axis) {
  return node("Unsqueeze", {x, constant({axis})});
}

void OnnxGraph::rename_last(const std::string& output) {
  auto& graph = impl_->graph();
  graph.mutable_node(graph.node_size() - 1)->set_output(0, output);
}

std::vector<std::byte> OnnxGraph::serialize(const std::map<std::string, std::string>& metadata) {
  onnx::ModelProto& model = impl_->model;
  for (const auto& [key, text] : metadata) {
    auto& property = *model.add_metadata_props();
    property.set_key(key);
    property.set_value(text);
  }
  const std::size_t size = model.ByteSizeLong();
  if (size > std::numeric_limits<std::int32_t>::max()) {
    throw InvalidArgument(
        fmt::format("model: expected at most 2 GiB for an ONNX file, found {} bytes", size));
  }
  std::vector<std::byte> bytes(size);
  model.SerializeToArray(bytes.data(), static_cast<int>(size));
  return bytes;
}

std::string add_parameter(OnnxGraph& graph, const Parameters& parameters, const std::string& name) {
  const ParameterSlice& slice = parameters.slice(name);
  return graph.constant(name, slice.shape, parameters.value(slice));
}

}  // namespace quadgate
