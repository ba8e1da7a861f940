#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "io/graph/tensor.h"

namespace quadgate::graph {

/// A node's attribute: the field of its type is filled.
struct Attribute {
  std::vector<std::int64_t> integers{};
  std::vector<std::string> texts{};
  TensorPtr tensor{};
  bool is_empty = false;  ///< a list of nothing
};

struct Node {
  std::string op;  ///< with its domain, where that is not ONNX's own
  std::string name;
  std::vector<std::string> inputs;  ///< "" for one that is left out
  std::vector<std::string> outputs;
  std::map<std::string, Attribute, std::less<>> attributes;

  const Attribute* attribute(std::string_view key) const;
  /// The whole number of an attribute, or `otherwise` without.
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  bool is_recurrent() const { return op == "LSTM" || op == "GRU" || op == "RNN"; }
};

/// A node that computes what no model of ours does.
class NodeError : public FileError {
 public:
  using FileError::FileError;
};

/// Throws NodeError, naming the node by its name or, without one, by its output.
[[noreturn]] void refuse(const Node& node, const std::string& reason);

/// What goes into a graph.
struct Input {
  std::string name;
  bool is_whole = false;                             ///< whole numbers
  std::optional<std::vector<std::int64_t>> shape{};  ///< 0 for a size that varies
};

/// The graph of an ONNX file. Its functions throw FileError, without the file's name.
class GraphFile {
 public:
  /// External weights lie in files of `folder`.
  GraphFile(std::span<const std::byte> bytes, std::filesystem::path folder);
  ~GraphFile();
  GraphFile(const GraphFile&) = delete;
  GraphFile& operator=(const GraphFile&) = delete;

  const std::vector<Node>& nodes() const;
  const std::vector<Input>& inputs() const;  ///< without those that have a constant as default
  const std::vector<std::string>& outputs() const;
  const std::map<std::string, std::string>& metadata() const;
  /// A constant of the file, or null.
  TensorPtr constant(const std::string& name);
  /// The numbers that may be made of the file's: a few times as many as it has.
  std::size_t most_numbers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quadgate::graph
