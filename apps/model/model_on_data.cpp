#include "apps/model/model_on_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/evaluation.h"
#include "engine/base/error.h"
#include "io/data/feature_view.h"
#include "io/data/loader.h"
#include "io/files/finite.h"

namespace quadgate::apps {
namespace {

Dataset open_known(const ModelDescription& model, std::span<const std::filesystem::path> data) {
  return Dataset(data, model.data.window, model.data.streams, model.config.loss.ignore_index,
                 &model.data);
}

/// Opens a data set of the model's task, a forecast with the model's window.
Dataset open_for(const ModelDescription& model, std::span<const std::filesystem::path> data) {
  if (model.config.output_size == 0) {
    throw DataError(fmt::format("{}: the model has no head to predict with, only recurrent layers",
                                data.front().string()));
  }
  const std::string found = read_dataset_task(data.front());
  if (const std::string expected = task_name(model); found != expected) {
    throw DataError(fmt::format("{}: task: the model expects {}, found {}", data.front().string(),
                                expected, found));
  }
  return open_known(model, data);
}

void expect_names(const Dataset& data, const char* what, const std::vector<std::string>& expected,
                  const std::vector<std::string>& found) {
  if (expected == found) return;
  if (expected.size() != found.size()) {
    throw DataError(fmt::format("{}: {}: the model expects {}, found {}", data.path().string(),
                                what, names_text(expected), names_text(found)));
  }
  const auto [ours, theirs] = std::ranges::mismatch(expected, found);
  throw DataError(fmt::format("{}: {}: the model expects '{}' as number {}, found '{}'",
                              data.path().string(), what, *ours, ours - expected.begin(), *theirs));
}

std::string usual_split(const Dataset& data) {
  const std::vector<std::string> names = data.split_names();
  return names.size() == 1 ? names.front() : "test";
}

}  // namespace

void expect_same_kind(const ModelDescription& model, const Dataset& data) {
  const auto expect = [&](const char* what, const auto& expected, const auto& found) {
    if (expected != found) {
      throw DataError(fmt::format("{}: {}: the model expects {}, found {}", data.path().string(),
                                  what, expected, found));
    }
  };
  const auto& trained = model.data;
  const auto& given = data.description();
  expect("task", std::string(to_string(model.config.task)), std::string(to_string(data.task())));
  expect("input", std::string(model.config.has_embedding() ? "tokens" : "features"),
         std::string(data.vocabulary_size() > 0 ? "tokens" : "features"));
  if (!model.config.has_embedding()) {
    expect("features", model.config.input_size(), data.input_size());
  }
  expect_names(data, "vocabulary", trained.token_names, given.token_names);
  if (trained.window && given.window) {
    expect("input_len", trained.window->input_len, given.window->input_len);
    expect("horizon", trained.window->horizon, given.window->horizon);
    expect_names(data, "targets", trained.window->targets, given.window->targets);
  }
  const MatchedNames classes = match_names(trained.class_names, given.class_names);
  const bool are_counted = is_numbered(trained.class_names) && classes.problem.empty() &&
                           std::ranges::is_sorted(classes.columns);
  if (!are_counted) expect_names(data, "classes", trained.class_names, given.class_names);
  if (data.output_size() == 0) return;  // without targets, to predict from
  expect(
      "values to predict",
      model.config.task == Task::regression ? model.config.target_size() : model.config.output_size,
      data.output_size());
}

void expect_lengths(const ModelConfig& model, Dataset& data, const std::string& split) {
  if (!model.conv) return;
  const Split& rows = data.inputs(split);
  for (std::int64_t row = 0; row < rows.size(); ++row) {
    if (rows.length(row) >= model.conv->shortest()) continue;
    throw DataError(fmt::format(
        "{}: expected at least {} steps (conv: kernel_size {}, padding {}, pool_size {}), found {}",
        rows.where(row), model.conv->shortest(), model.conv->kernel_size, model.conv->padding,
        model.conv->pool_size, rows.length(row)));
  }
}

void expect_finite_outputs(const std::filesystem::path& checkpoint,
                           std::span<const float> outputs) {
  const std::int64_t bad = find_not_finite(outputs);
  if (bad < 0) return;
  throw DataError(
      fmt::format("{}: expected finite outputs of the model, found {}: its weights, or "
                  "the data, are too large",
                  checkpoint.string(), outputs[static_cast<std::size_t>(bad)]));
}

ModelOnData::ModelOnData(const Checkpoint& checkpoint, ModelDescription description,
                         std::span<const std::filesystem::path> data,
                         const std::optional<std::string>& split, std::optional<int> threads,
                         bool needs_targets)
    : checkpoint_(checkpoint.path()),
      description_(std::move(description)),
      dataset_(open_for(description_, data)),
      split_name_(split.value_or(usual_split(dataset_))),
      split_(&open_split(needs_targets)),
      network_(checkpoint, description_.config, split_->max_len(), split_->size(),
               choose_threads(threads),
               description_.data.streams ? description_.data.streams->count : 0) {
  for (const std::string& line : dataset_.notes()) note(line);
}

void ModelOnData::go_on(std::span<const std::filesystem::path> data) {
  dataset_ = open_known(description_, data);
  split_ = &open_split(/*needs_targets=*/false);
  network_.fit(split_->max_len(), split_->size());
  goes_on_ = true;
}

Split& ModelOnData::open_split(bool needs_targets) {
  expect_same_kind(description_, dataset_);
  expect_lengths(description_.config, dataset_, split_name_);
  return needs_targets ? dataset_.split(split_name_) : dataset_.inputs(split_name_);
}

void ModelOnData::predict(const Batch& batch, std::vector<float>& outputs) {
  const bool tagging = description_.config.task == Task::tagging;
  const std::int64_t rows = tagging ? batch.steps() : batch.rows();
  outputs.resize(static_cast<std::size_t>(rows * description_.config.output_size));
  network_->predict(batch, outputs);
  expect_finite_outputs(checkpoint_, outputs);
}

void ModelOnData::for_each_batch(
    const std::function<void(const Batch&, std::span<const float>)>& visit) {
  if (!goes_on_) network_->reset_states();
  Loader loader(*split_, network_.batch_size());
  std::vector<float> outputs;
  for (Batch batch; loader.next(batch);) {
    if (stop_requested()) throw StopRequest();
    predict(batch, outputs);
    visit(batch, outputs);
  }
}

void note_new_series(const ModelOnData& model, const std::string& source) {
  std::set<std::string_view> known;
  for (const SeriesScale& scale : model.description().data.series_scales) known.insert(scale.name);
  std::vector<std::string> others;
  for (const SeriesScale& scale : model.dataset().description().series_scales) {
    if (!known.contains(scale.name)) others.push_back(scale.name);
  }
  if (others.empty()) return;
  note(fmt::format(
      "{}: series that the model was not trained on: {}: standardized by their own rows there",
      source, names_text(others)));
}

void note_gaps(const ModelOnData& model) {
  const auto& known = model.description().data.recipe;
  const auto& found = model.dataset().description().recipe;
  if (!known || !found || !known->step.is_known()) return;
  if (known->other_steps > 0 || found->other_steps == 0) return;
  note(fmt::format(
      "windows span gaps: {} rows are not {} behind the row before, as all are that the "
      "model was trained on",
      found->other_steps, to_string(known->step)));
}

}  // namespace quadgate::apps
