#include "apps/model/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/common/warn.h"
#include "apps/model/evaluation.h"
#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"
#include "apps/model/report.h"
#include "apps/model/split_report.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"

namespace quadgate::apps {
namespace {

constexpr const char* kSplit = "split";

/// Runs the model over the split, and tells all of it.
void run(ModelOnData& model, SplitReport& split, Report& report) {
  const Loss loss(model.description().config);
  std::optional<CrfBatch> crf;
  if (model.description().config.crf) crf.emplace(model.parameters());
  Metrics metrics;
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    loss.expect_targets(batch);
    metrics += crf ? crf->metrics(batch, outputs) : loss.of_batch(batch, outputs);
    split.add(batch, outputs, crf ? &*crf : nullptr);
  });
  const auto& [kind, source] = report.source;
  expect_counting(metrics, kind == kSplit ? fmt::format("{} '{}'", kind, source) : source);
  for (const auto& [name, value] : named_metrics(model.description(), metrics)) {
    report.numbers.emplace_back(name, value);
  }
  if (model.description().data.window) note_gaps(model);
  split.tell(report);
}

/// Throws InvalidArgument at options that are for other models.
void expect_options_of(const ModelDescription& model, const EvaluateArguments& arguments) {
  const auto refuse = [&](const char* option, std::int64_t found, const char* expected) {
    throw InvalidArgument(fmt::format("{}: expected only for {}, found {} for {}", option, expected,
                                      found, task_name(model)));
  };
  const bool has_classes = model.config.task != Task::regression && !model.data.streams;
  if (arguments.top_k && !has_classes) refuse("--top-k", *arguments.top_k, "classes");
  if (arguments.season && !model.data.window) refuse("--season", *arguments.season, "a forecast");
  const std::int64_t classes = model.config.output_size;
  if (const auto top_k = arguments.top_k; top_k && (*top_k < 1 || *top_k >= classes)) {
    throw InvalidArgument(fmt::format("--top-k: expected 1 to {}, below the {} classes, found {}",
                                      classes - 1, classes, *top_k));
  }
  if (const auto season = arguments.season;
      season && (*season < 1 || *season > model.data.window->input_len)) {
    throw InvalidArgument(
        fmt::format("--season: expected 1 to {} (input_len: a window has no more), found {}",
                    model.data.window->input_len, *season));
  }
}

/// "class, entity or confusion": what --by may ask for.
std::string tables_text(const Report& report) {
  std::vector<std::string> names;
  for (const ReportTable& table : report.tables) {
    if (!table.by.empty()) names.push_back(table.by);
  }
  std::string text;
  for (const std::string& name : names) {
    const char* const between = &name == &names.back() ? " or " : ", ";
    text += (text.empty() ? "" : between) + name;
  }
  return text.empty() ? "none for this model" : text;
}

/// The tables that --by asks for are shown.
void show_tables(const std::vector<std::string>& by, Report& report) {
  for (const std::string& name : by) {
    const auto found = std::ranges::find(report.tables, name, &ReportTable::by);
    if (name.empty() || found == report.tables.end()) {
      throw InvalidArgument(
          fmt::format("--by: expected {}, found '{}'", tables_text(report), name));
    }
    found->is_shown = true;
  }
}

/// `input` is the raw file that `data` is of, if not empty.
std::string evaluate_data(const EvaluateArguments& arguments,
                          std::span<const std::filesystem::path> data,
                          const std::string& input = {}) {
  ModelOnData model(Checkpoint(arguments.checkpoint), data, arguments.split, arguments.threads);
  const ModelDescription& description = model.description();
  expect_options_of(description, arguments);
  note_new_series(model, input.empty() ? data.front().string() : input);
  Report report;
  report.source = input.empty() ? std::pair(std::string(kSplit), model.split_name())
                                : std::pair(std::string("input"), input);
  const std::string& source = report.source.second;
  // The rows of a raw file are to be told of, so that none are those of training.
  const auto train_rows = input.empty() ? data : std::span<const std::filesystem::path>();
  SplitReport whole(description, model.dataset(), model.split(), train_rows,
                    {arguments.season, arguments.top_k});
  run(model, whole, report);
  show_tables(arguments.by, report);
  for (const std::string& line : report.notes) {
    note(fmt::format("{}: {}", source, line));
  }
  if (arguments.json) {
    report.numbers.emplace_back("count", model.split().size());
    return fmt::format("{}\n", to_json(report));
  }
  return fmt::format("{}: {} sequences\n{}", source, model.split().size(), to_text(report));
}

}  // namespace

std::string evaluation(const EvaluateArguments& arguments) {
  if (arguments.input.empty()) return evaluate_data(arguments, arguments.data);
  if (arguments.split)
    throw InvalidArgument("--split: expected none beside --input, which has none");
  const ModelDescription model = Checkpoint(arguments.checkpoint).description();
  InputData input(arguments.input, {arguments.checkpoint, task_name(model), model.data}, "-");
  std::string text;
  input.answer([&] { text = evaluate_data(arguments, std::span(&input.path(), 1), input.name()); });
  input.tell_notes();
  return text;
}

void evaluate(const EvaluateArguments& arguments) { fmt::print("{}", evaluation(arguments)); }

}  // namespace quadgate::apps
