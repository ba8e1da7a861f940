#include "io/model/onnx_lengths.h"

namespace quadgate {

void OnnxLengths::add_input() { name_ = graph_.input("lengths", OnnxGraph::Type::int32, {"N"}); }

void OnnxLengths::set(const std::string& numbers) {
  name_ = graph_.node("Cast", {numbers}, {{"to", std::int64_t{6 /* INT32 */}}});
}

std::string OnnxLengths::as_int64() {
  return graph_.node("Cast", {name_}, {{"to", std::int64_t{7 /* INT64 */}}});
}

std::string OnnxLengths::as_float() {
  return graph_.node("Cast", {name_}, {{"to", std::int64_t{1 /* FLOAT */}}});
}

std::string OnnxLengths::alive(const std::string& x, std::int64_t axis) {
  const std::string steps = graph_.node("Gather", {graph_.node("Shape", {x}), graph_.scalar(axis)});
  const std::string t =
      graph_.node("Range", {graph_.scalar(std::int64_t{0}), steps, graph_.scalar(std::int64_t{1})});
  return graph_.node("Less", {graph_.unsqueeze(t, 1), graph_.unsqueeze(as_int64(), 0)});
}

std::string OnnxLengths::inside(const std::string& x) {
  return graph_.transpose(alive(x, 1), {1, 0});
}

}  // namespace quadgate
