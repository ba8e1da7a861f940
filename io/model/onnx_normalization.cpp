#include "io/model/onnx_normalization.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace quadgate {

// The mean of x [N, T, I] over the steps within each sequence, [N, I].
std::string OnnxNormalization::mean_over_steps(const std::string& x, const std::string& mask) {
  const std::string sum = graph_.node(
      "ReduceSum", {graph_.node("Where", {mask, x, graph_.scalar(0.0F)}), graph_.constant({1})},
      {{"keepdims", std::int64_t{0}}});
  return graph_.node("Div", {sum, graph_.unsqueeze(lengths_.as_float(), 1)});
}

// `values` [N, I], but `other` of features without a level.
std::string OnnxNormalization::where_level(const std::string& values, float other) {
  const auto& without = model_.normalization.without_level;
  if (without.empty()) return values;
  std::vector<float> has_level(static_cast<std::size_t>(model_.input_size()), 1);
  for (const std::int64_t column : without) has_level[static_cast<std::size_t>(column)] = 0;
  if (with_level_.empty()) {
    with_level_ = graph_.constant("with_level", {std::ssize(has_level)}, has_level);
  }
  const std::string mask = graph_.node("Greater", {with_level_, graph_.scalar(0.0F)});
  return graph_.node("Where", {mask, values, graph_.scalar(other)});
}

std::string OnnxNormalization::apply(const std::string& x) {
  if (!model_.normalization.is_affine()) {
    const std::string last =
        graph_.node("Sub", {lengths_.as_int64(), graph_.scalar(std::int64_t{1})});
    level_ =
        graph_.node("GatherND", {x, graph_.unsqueeze(last, 1)}, {{"batch_dims", std::int64_t{1}}});
    if (!model_.normalization.changes_features()) return x;
    level_ = where_level(level_, 0);
    return graph_.node("Sub", {x, graph_.unsqueeze(level_, 1)});
  }
  const std::string mask = graph_.unsqueeze(lengths_.inside(x), 2);
  level_ = where_level(mean_over_steps(x, mask), 0);
  const std::string deviation = graph_.node("Sub", {x, graph_.unsqueeze(level_, 1)});
  const std::string variance = mean_over_steps(graph_.node("Mul", {deviation, deviation}), mask);
  scale_ = where_level(
      graph_.node("Sqrt", {graph_.node("Add", {variance, graph_.scalar(kNormalizationEps)})}), 1);
  const std::string scaled = graph_.node("Div", {deviation, graph_.unsqueeze(scale_, 1)});
  return graph_.node(
      "Add",
      {graph_.node("Mul", {scaled, add_parameter(graph_, parameters_, "norm.affine_weight")}),
       add_parameter(graph_, parameters_, "norm.affine_bias")});
}

std::string OnnxNormalization::restore(std::string outputs) {
  std::vector<std::int64_t> columns;
  std::vector<float> has_level;
  for (std::int64_t o = 0; o < model_.output_size; ++o) {
    const std::int64_t column = model_.level_column(o);
    columns.push_back(std::max<std::int64_t>(column, 0));
    has_level.push_back(column < 0 ? 0.0F : 1.0F);
  }
  const std::string of_outputs = graph_.constant(columns);
  const auto each = [&](const std::string& from, std::int64_t axis) {
    return graph_.node("Gather", {from, of_outputs}, {{"axis", axis}});
  };
  if (model_.normalization.is_affine()) {
    const std::string divisor = graph_.node(
        "Add",
        {each("norm.affine_weight", 0), graph_.scalar(kNormalizationEps * kNormalizationEps)});
    outputs = graph_.node("Sub", {outputs, each("norm.affine_bias", 0)});
    outputs = graph_.node("Mul", {graph_.node("Div", {outputs, divisor}), each(scale_, 1)});
  }
  std::string levels = each(level_, 1);
  if (std::ranges::find(has_level, 0.0F) != has_level.end()) {
    levels = graph_.node(
        "Mul", {levels, graph_.constant("has_level", {std::ssize(has_level)}, has_level)});
  }
  return graph_.node("Add", {outputs, levels});
}

}  // namespace quadgate
