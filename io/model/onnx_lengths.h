#pragma once

#include <cstdint>
#include <string>

#include "io/model/onnx_graph.h"

namespace quadgate {

/// The lengths [N] of the sequences of a batch, and what follows from them.
class OnnxLengths {
 public:
  /// The graph must outlive it.
  explicit OnnxLengths(OnnxGraph& graph) : graph_(graph) {}

  /// They are an input of the graph.
  void add_input();
  /// From here on they are these numbers.
  void set(const std::string& numbers);

  const std::string& name() const noexcept { return name_; }
  std::string as_int64();
  std::string as_float();
  /// Whether each step is within its sequence, [T, N], where T is the size of an axis of x.
  std::string alive(const std::string& x, std::int64_t axis);
  /// Whether each step of x [N, T, I] is within its sequence, [N, T].
  std::string inside(const std::string& x);

 private:
  OnnxGraph& graph_;
  std::string name_;
};

}  // namespace quadgate
