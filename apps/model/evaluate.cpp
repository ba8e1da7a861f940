#include "apps/model/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "apps/common/warn.h"
#include "apps/model/class_report.h"
#include "apps/model/evaluation.h"
#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"
#include "apps/model/probabilistic_errors.h"
#include "apps/model/report.h"
#include "apps/model/text_report.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"

namespace quadgate::apps {
namespace {

/// Errors in original units: a value's error times its std.
struct RawErrors {
  double squared = 0;
  double absolute = 0;

  /// `points` forecasts `targets`.
  void add(std::span<const float> points, std::span<const float> targets,
           std::span<const double> std) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double value = points[i];
      const double error = (value - static_cast<double>(targets[i])) * std[i % std.size()];
      squared += error * error;
      absolute += std::abs(error);
    }
  }
};

/// Runs the model over the split, with visit(batch, outputs, random field or null) called for each
/// batch, and tells the means that training tells as well. Returns their sums.
template <typename Visit>
Metrics run(ModelOnData& model, const std::string& split, Report& report, Visit visit) {
  const Loss loss(model.description().config);
  std::optional<CrfBatch> crf;
  if (model.description().config.crf) crf.emplace(model.parameters());
  Metrics metrics;
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    loss.expect_targets(batch);
    metrics += crf ? crf->metrics(batch, outputs) : loss.of_batch(batch, outputs);
    visit(batch, outputs, crf ? &*crf : nullptr);
  });
  expect_counting(metrics, split);
  for (const auto& [name, value] : named_metrics(model.description(), metrics)) {
    report.numbers.emplace_back(name, value);
  }
  return metrics;
}

void evaluate_text(ModelOnData& model, const std::string& split, Report& report) {
  TextReport text(model.description());
  run(model, split, report, [&](const Batch& batch, std::span<const float> logits, CrfBatch*) {
    text.add(batch, logits);
  });
  text.tell(report);
}

void evaluate_classes(ModelOnData& model, const EvaluateArguments& arguments,
                      const std::string& split, Report& report) {
  const ModelDescription& description = model.description();
  const std::int64_t classes = description.config.output_size;
  const std::int64_t top_k = arguments.top_k.value_or(kTopK);
  if (arguments.top_k && (top_k < 1 || top_k >= classes)) {
    throw InvalidArgument(fmt::format("--top-k: expected 1 to {}, below the {} classes, found {}",
                                      classes - 1, classes, top_k));
  }
  ClassMetrics metrics = class_metrics(description, top_k);
  run(model, split, report, [&](const Batch& batch, std::span<const float> logits, CrfBatch* crf) {
    add_batch(batch, logits, crf, metrics);
  });
  add_class_report(description, metrics, report);
}

void evaluate_values(ModelOnData& model, const std::string& split, Report& report) {
  const OutputUnits units = output_units(model.dataset(), model.description().config.target_size());
  const Loss loss(model.description().config);
  RawErrors raw;
  ProbabilisticErrors probabilistic(model.description().config);
  const Metrics metrics =
      run(model, split, report, [&](const Batch& batch, std::span<const float> outputs, CrfBatch*) {
        raw.add(loss.points(outputs), batch.targets, units.std);
        probabilistic.add(outputs, batch.targets);
      });
  const auto items = static_cast<double>(metrics.items);
  report.numbers.emplace_back("mse_raw", raw.squared / items);
  report.numbers.emplace_back("mae_raw", raw.absolute / items);
  std::ranges::copy(probabilistic.named(), std::back_inserter(report.numbers));
}

/// "class, entity or confusion": what --by may ask for.
std::string tables_text(const Report& report) {
  std::string text;
  for (const ReportTable& table : report.tables) {
    const char* const between = &table == &report.tables.back() ? " or " : ", ";
    text += (text.empty() ? "" : between) + table.by;
  }
  return text.empty() ? "none for this model" : text;
}

/// The tables that --by asks for are shown.
void show_tables(const std::vector<std::string>& by, Report& report) {
  for (const std::string& name : by) {
    const auto found = std::ranges::find(report.tables, name, &ReportTable::by);
    if (found == report.tables.end()) {
      throw InvalidArgument(
          fmt::format("--by: expected {}, found '{}'", tables_text(report), name));
    }
    found->is_shown = true;
  }
}

void evaluate_data(const EvaluateArguments& arguments,
                   std::span<const std::filesystem::path> data) {
  ModelOnData model(Checkpoint(arguments.checkpoint), data, arguments.split, arguments.threads);
  const std::string& split = model.split_name();
  const ModelDescription& description = model.description();
  const bool is_of_classes =
      description.config.task != Task::regression && !description.data.streams;
  if (arguments.top_k && !is_of_classes) {
    throw InvalidArgument(fmt::format("--top-k: expected none but for classes, found {} for a {}",
                                      *arguments.top_k, task_name(description)));
  }
  Report report;
  if (description.data.streams) {
    evaluate_text(model, split, report);
  } else if (is_of_classes) {
    evaluate_classes(model, arguments, split, report);
  } else {
    evaluate_values(model, split, report);
  }
  show_tables(arguments.by, report);
  for (const std::string& line : report.notes) {
    note(fmt::format("{}: {}", split, line));
  }
  if (arguments.json) {
    report.numbers.emplace_back("count", model.split().size());
    fmt::print("{}\n", to_json(report, split));
    return;
  }
  fmt::print("{}: {} sequences\n{}", split, model.split().size(), to_text(report));
}

}  // namespace

void evaluate(const EvaluateArguments& arguments) {
  if (arguments.input.empty()) return evaluate_data(arguments, arguments.data);
  if (arguments.split)
    throw InvalidArgument("--split: expected none beside --input, which has none");
  const ModelDescription model = Checkpoint(arguments.checkpoint).description();
  const InputData input(arguments.input, {arguments.checkpoint, task_name(model), model.data}, "-");
  input.run([&] { evaluate_data(arguments, std::span(&input.path(), 1)); });
}

}  // namespace quadgate::apps
