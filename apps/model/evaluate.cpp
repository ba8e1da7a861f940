#include "apps/model/evaluate.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/model/evaluation.h"
#include "apps/model/model_on_data.h"
#include "engine/model/crf_batch.h"

namespace quadgate::apps {
namespace {

using Named = std::vector<std::pair<std::string, double>>;

/// Errors in original units: a value's error times its std.
struct RawErrors {
  double squared = 0;
  double absolute = 0;

  void add(const Loss& loss, std::span<const float> outputs, std::span<const float> targets,
           std::span<const double> std) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double value = loss.value(outputs[i]);
      const double error = (value - static_cast<double>(targets[i])) * std[i % std.size()];
      squared += error * error;
      absolute += std::abs(error);
    }
  }
};

Named evaluate_model(ModelOnData& model, const std::string& split) {
  const ModelConfig& config = model.description().config;
  const OutputUnits units = output_units(model.dataset());
  const Loss loss(config);
  std::optional<CrfBatch> crf;
  if (config.crf) crf.emplace(model.parameters());
  Metrics metrics;
  RawErrors raw;
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    loss.expect_targets(batch);
    metrics += crf ? crf->metrics(batch, outputs) : loss.of_batch(batch, outputs);
    if (config.task == Task::regression) {
      raw.add(loss, outputs, batch.targets, units.std);
    }
  });
  expect_counting(metrics, split);
  Named named = named_metrics(model.description(), metrics);
  if (config.task == Task::regression) {
    const auto items = static_cast<double>(metrics.items);
    named.emplace_back("mse_raw", raw.squared / items);
    named.emplace_back("mae_raw", raw.absolute / items);
  }
  return named;
}

}  // namespace

void evaluate(const EvaluateArguments& arguments) {
  ModelOnData model(Checkpoint(arguments.checkpoint), arguments.data, arguments.split,
                    arguments.threads);
  const Named named = evaluate_model(model, arguments.split);
  if (arguments.json) {
    nlohmann::ordered_json record;
    for (const auto& [name, value] : named) {
      record[name] = value;
    }
    record["count"] = model.split().size();
    record["split"] = arguments.split;
    fmt::print("{}\n", record.dump());
    return;
  }
  fmt::print("{}: {} sequences\n", arguments.split, model.split().size());
  for (const auto& [name, value] : named) {
    fmt::print("{:<10} {:.6g}\n", name, value);
  }
}

}  // namespace quadgate::apps
