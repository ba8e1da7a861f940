#include "io/model/onnx_units.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/distribution.h"
#include "io/data/covariates.h"
#include "io/data/output_units.h"

namespace quadgate {
namespace {

std::string add_numbers(OnnxGraph& graph, const char* name, std::span<const double> values) {
  return graph.constant(name, {std::ssize(values)},
                        std::vector<float>(values.begin(), values.end()));
}

/// Mean, scale and df of the outputs that tell a distribution (see distribution_of).
std::string add_distribution(OnnxGraph& graph, const std::string& outputs,
                             const ModelConfig& model) {
  std::vector<double> is_mean;
  std::vector<double> least;
  for (std::int64_t target = 0; target < model.target_size(); ++target) {
    for (const std::string& name : model.loss.output_names()) {
      is_mean.push_back(name == "mean" ? 1 : 0);
      least.push_back(name == "mean" ? 0 : name == "scale" ? kLeastScale : kLeastDf);
    }
  }
  std::vector<double> is_spread(is_mean.size());
  std::ranges::transform(is_mean, is_spread.begin(), [](double mean) { return 1 - mean; });
  const std::string means = graph.node("Mul", {outputs, add_numbers(graph, "is_mean", is_mean)});
  const std::string spreads = graph.node(
      "Mul", {graph.node("Softplus", {outputs}), add_numbers(graph, "is_spread", is_spread)});
  return graph.node("Add",
                    {means, graph.node("Add", {spreads, add_numbers(graph, "least", least)})});
}

}  // namespace

std::string add_standardization(OnnxGraph& graph, const std::string& x,
                                const DataDescription& data) {
  if (data.mean.empty()) return x;
  const std::string deviation =
      graph.node("Sub", {x, add_numbers(graph, "x_mean", of_inputs(data, data.mean))});
  return graph.node("Div", {deviation, add_numbers(graph, "x_std", of_inputs(data, data.std))});
}

std::string add_original_units(OnnxGraph& graph, std::string outputs,
                               const ModelDescription& model) {
  const ModelConfig& config = model.config;
  const LossKind loss = config.loss.kind_for(config.task);
  if (loss == LossKind::bce) return graph.node("Sigmoid", {outputs});
  if (loss == LossKind::gaussian || loss == LossKind::student_t) {
    outputs = add_distribution(graph, outputs, config);
  }
  if (!model.data.window || model.data.mean.empty()) return outputs;
  const OutputUnits units = head_units(output_units(model.data, config.target_size()), config.loss);
  outputs = graph.node("Mul", {outputs, add_numbers(graph, "output_std", units.std)});
  return graph.node("Add", {outputs, add_numbers(graph, "output_mean", units.mean)});
}

}  // namespace quadgate
