#include "io/graph/graph_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "io/files/load.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::graph {
namespace {

using Proto = onnx::TensorProto;

constexpr std::size_t kMostWhole = 1 << 16;  // numbers of a constant that is no weight

std::optional<ElementType> float_type(std::int32_t type) {
  switch (type) {
    case Proto::DOUBLE:
      return ElementType::f64;
    case Proto::FLOAT:
      return ElementType::f32;
    case Proto::FLOAT16:
      return ElementType::f16;
    case Proto::BFLOAT16:
      return ElementType::bf16;
    default:
      return {};
  }
}

/// Bytes of a whole number, negative with a sign; 0 for other types.
int whole_size(std::int32_t type) {
  switch (type) {
    case Proto::BOOL:
    case Proto::UINT8:
      return 1;
    case Proto::INT8:
      return -1;
    case Proto::UINT16:
      return 2;
    case Proto::INT16:
      return -2;
    case Proto::UINT32:
      return 4;
    case Proto::INT32:
      return -4;
    case Proto::UINT64:
    case Proto::INT64:
      return -8;
    default:
      return 0;
  }
}

std::int64_t whole_number(int size, const std::byte* from) {
  switch (size) {
    case 1:
      return load<std::uint8_t>(from);
    case -1:
      return load<std::int8_t>(from);
    case 2:
      return load<std::uint16_t>(from);
    case -2:
      return load<std::int16_t>(from);
    case 4:
      return load<std::uint32_t>(from);
    case -4:
      return load<std::int32_t>(from);
    default:
      return load<std::int64_t>(from);
  }
}

/// The numbers of a constant whose type has a field of its own; empty if there are none.
Floats typed_floats(const Proto& from, ElementType type) {
  if (type == ElementType::f32) return {from.float_data().begin(), from.float_data().end()};
  Floats values;
  if (type == ElementType::f64) {
    for (const double value : from.double_data()) values.push_back(static_cast<float>(value));
    return values;
  }
  for (const std::int32_t bits : from.int32_data()) {  // of half precision
    const auto half = static_cast<std::uint16_t>(bits);
    values.push_back(to_float(type, std::as_bytes(std::span(&half, 1)).data()));
  }
  return values;
}

std::vector<std::int64_t> typed_integers(const Proto& from) {
  switch (from.data_type()) {
    case Proto::INT64:
      return {from.int64_data().begin(), from.int64_data().end()};
    case Proto::UINT64:
    case Proto::UINT32:
      return {from.uint64_data().begin(), from.uint64_data().end()};
    default:
      return {from.int32_data().begin(), from.int32_data().end()};
  }
}

/// Below 0 if it is none.
std::int64_t parsed(const std::string& text) {
  std::int64_t value = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? value : -1;
}

}  // namespace

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
  std::filesystem::path folder;
  onnx::ModelProto model;
  std::size_t bytes = 0;
  std::map<std::string, std::vector<std::byte>> files;  // of external weights, by name
  std::unordered_map<std::string, const Proto*> found;  // constants
  std::unordered_map<std::string, TensorPtr> read;      // those of them that were asked for
  std::vector<Node> nodes;
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::string> metadata;

  void list_inputs() {
    for (const auto& value : model.graph().input()) {
      if (found.contains(value.name())) continue;
      const auto& type = value.type().tensor_type();
      Input& input = inputs.emplace_back(
          Input{.name = value.name(), .is_whole = whole_size(type.elem_type()) != 0});
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
      if (attribute.has_t() && from.op_type() == "ConstantOfShape")
        to.tensor = tensor(attribute.t());
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

  TensorPtr tensor(const Proto& from) {
    Tensor to{.shape = {from.dims().begin(), from.dims().end()}, .values = {}};
    const auto type = float_type(from.data_type());
    const int size = whole_size(from.data_type());
    if (!type && size == 0) {
      throw FileError(fmt::format("constant '{}': expected numbers, found {}", from.name(),
                                  onnx::TensorProto_DataType_Name(from.data_type())));
    }
    const auto raw = from.data_location() == Proto::EXTERNAL
                         ? outside(from)
                         : std::as_bytes(std::span(from.raw_data()));
    const auto count = count_elements(to.shape, std::numeric_limits<std::int32_t>::max());
    if (type) {
      to.values = raw.empty() ? typed_floats(from, *type) : raw_floats(raw, *type);
    } else {
      to.values = integers(from, raw, size);
    }
    if (count != static_cast<std::int64_t>(to.size())) {
      throw FileError(
          fmt::format("constant '{}': expected as many numbers as its shape ({}) has, found {}",
                      from.name(), fmt::join(to.shape, ", "), to.size()));
    }
    return std::make_shared<const Tensor>(std::move(to));
  }

  static Floats raw_floats(std::span<const std::byte> raw, ElementType type) {
    const std::size_t size = size_of(type);
    Floats values;
    values.reserve(raw.size() / size);
    for (std::size_t i = 0; i < raw.size() / size; ++i) {
      values.push_back(to_float(type, raw.data() + i * size));
    }
    return values;
  }

  static Integers integers(const Proto& from, std::span<const std::byte> raw, int signed_size) {
    const auto size = static_cast<std::size_t>(std::abs(signed_size));
    const std::vector<std::int64_t> typed = typed_integers(from);
    if (std::max(raw.size() / size, typed.size()) > kMostWhole) {
      throw FileError(
          fmt::format("constant '{}': expected at most {} whole numbers", from.name(), kMostWhole));
    }
    Integers values;
    for (const std::int64_t number : typed) values.push_back({.number = number});
    for (std::size_t i = 0; raw.size() >= size && i < raw.size() / size; ++i) {
      values.push_back({.number = whole_number(signed_size, raw.data() + i * size)});
    }
    return values;
  }

  /// The bytes of a constant that lies in another file of the folder.
  std::span<const std::byte> outside(const Proto& from) {
    std::map<std::string, std::string> where{{"offset", "0"}};
    for (const auto& entry : from.external_data()) where[entry.key()] = entry.value();
    const std::filesystem::path location = where["location"];
    if (folder.empty() || location.empty() || location != location.filename()) {
      throw FileError(fmt::format("constant '{}': expected a file beside this one, found '{}'",
                                  from.name(), location.string()));
    }
    auto [file, is_new] = files.try_emplace(location.string());
    if (is_new) {
      file->second = read_bytes(folder / location);
      bytes += file->second.size();
    }
    const std::span<const std::byte> whole(file->second);
    const auto offset = parsed(where["offset"]);
    const auto length =
        where.contains("length") ? parsed(where["length"]) : std::ssize(whole) - offset;
    if (offset < 0 || length < 0 || offset > std::ssize(whole) ||
        length > std::ssize(whole) - offset) {
      throw FileError(fmt::format("constant '{}': expected bytes within the {} of '{}'",
                                  from.name(), whole.size(), location.string()));
    }
    return whole.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  }
};

GraphFile::GraphFile(std::span<const std::byte> bytes, std::filesystem::path folder)
    : impl_(std::make_unique<Impl>()) {
  impl_->folder = std::move(folder);
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
  return impl_->read[name] = impl_->tensor(*found->second);
}

std::size_t GraphFile::most_numbers() const {
  constexpr std::size_t kMostTimes = 2;  // four bytes each
  constexpr std::size_t kFew = 1 << 16;
  return kMostTimes * impl_->bytes + kFew;
}

}  // namespace quadgate::graph
