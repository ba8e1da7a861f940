#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/model/parameters.h"

namespace quadgate {

/// An ONNX graph that grows node by node (https://onnx.ai/onnx/operators). A name stands for each
/// value.
class OnnxGraph {
 public:
  enum class Type : std::uint8_t { float32, int32, int64 };
  using Attribute =
      std::variant<std::int64_t, std::vector<std::int64_t>, std::string, std::vector<std::string>>;
  using Attributes = std::vector<std::pair<std::string, Attribute>>;

  OnnxGraph();
  ~OnnxGraph();
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;

  /// Inputs and outputs of the graph. A size is a number or, if it varies, a name. `input` returns
  /// the name.
  std::string input(const std::string& name, Type type, const std::vector<std::string>& shape);
  void output(const std::string& name, Type type, const std::vector<std::string>& shape);

  /// Constants.
  std::string constant(const std::string& name, const std::vector<std::int64_t>& shape,
                       std::span<const float> values);
  std::string constant(const std::vector<std::int64_t>& values);  ///< [size]
  std::string scalar(std::int64_t value);                         ///< []
  std::string scalar(float value);                                ///< []

  /// Adds a node with some inputs, "" for one that is left out. Returns the names of its outputs,
  /// which are made up, or `output` for a single one.
  std::vector<std::string> node(const std::string& op, const std::vector<std::string>& inputs,
                                std::size_t outputs, const Attributes& attributes = {});
  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {}, const std::string& output = "");
  /// The axes of x in another order.
  std::string transpose(const std::string& x, const std::vector<std::int64_t>& axes);
  /// x with one more axis, of size 1.
  std::string unsqueeze(const std::string& x, std::int64_t axis);
  /// Calls the output of the node that was added last otherwise.
  void rename_last(const std::string& output);

  /// The model as a file, of opset 17, with texts by key. Throws InvalidArgument if it is too large
  /// for one (2 GiB).
  std::vector<std::byte> serialize(const std::map<std::string, std::string>& metadata);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A parameter of a model as a constant of its name.
std::string add_parameter(OnnxGraph& graph, const Parameters& parameters, const std::string& name);

}  // namespace quadgate
