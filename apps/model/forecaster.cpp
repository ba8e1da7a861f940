#include "apps/model/forecaster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/common/signals.h"
#include "engine/base/error.h"
#include "io/data/calendar.h"
#include "io/data/covariates.h"
#include "io/data/feature_view.h"

namespace quadgate::apps {

CalendarColumns::CalendarColumns(const DataDescription& data)
    : parts_(data.recipe ? data.recipe->calendar : std::vector<std::string>()),
      values_(2 * parts_.size()) {
  const auto& names = data.feature_names;
  for (const std::string& name : calendar_names(parts_)) {
    columns_.push_back(std::ranges::find(names, name) - names.begin());
    const auto column = static_cast<std::size_t>(columns_.back());
    const bool is_scaled = column < data.mean.size();  // of their own, series have none of these
    means_.push_back(is_scaled ? data.mean[column] : 0);
    stds_.push_back(is_scaled ? data.std[column] : 1);
  }
}

void CalendarColumns::fill(const std::vector<double>& times, std::int64_t step,
                           std::span<float> row) {
  if (parts_.empty()) return;
  if (std::cmp_greater_equal(step, times.size())) {
    throw DataError(
        "--steps: expected at most the horizon, as the rows have no usual step that would tell the "
        "times behind it (prepare --like with --resample makes rows regular)");
  }
  calendar_values(parts_, times[static_cast<std::size_t>(step)], values_);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<std::size_t>(columns_[i]);
    if (column < row.size()) row[column] = static_cast<float>((values_[i] - means_[i]) / stds_[i]);
  }
}

Forecaster::Forecaster(ModelOnData& model, std::int64_t steps)
    : model_(model),
      calendar_(model.dataset().description()),
      loss_(model.description().config),
      columns_(target_columns(model.dataset().description())),
      window_(*model.dataset().description().window),
      features_(model.dataset().input_size()),
      steps_(steps),
      each_(model.description().config.loss.outputs_per_target()) {
  if (steps_ > window_.horizon) expect_all_columns();
}

void Forecaster::run(const Batch& batch, std::span<const float> outputs,
                     std::span<const std::vector<double>> times, std::vector<float>& values) {
  values.resize(static_cast<std::size_t>(batch.rows() * steps_ * targets() * each_));
  take(outputs, 0, values);
  if (steps_ <= window_.horizon) return;
  next_ = batch;
  next_.targets.clear();
  for (std::int64_t done = window_.horizon; done < steps_; done += window_.horizon) {
    if (stop_requested()) throw StopRequest();
    go_on(loss_.points(outputs), times, done - window_.horizon);
    model_.predict(next_, outputs_);
    outputs = outputs_;
    take(outputs, done, values);
  }
}

void Forecaster::expect_all_columns() const {
  std::vector<std::string> unknown;
  const auto& names = model_.dataset().description().feature_names;
  // Of known columns it needs those of rows further on than the horizon, too.
  DataDescription without_known = model_.dataset().description();
  without_known.known_names.clear();
  const std::vector<std::int64_t> known = covariate_columns(without_known);
  for (std::int64_t i = 0; i < std::ssize(names); ++i) {
    if (std::ranges::find(columns_, i) == columns_.end() &&
        std::ranges::find(known, i) == known.end()) {
      unknown.push_back(names[static_cast<std::size_t>(i)]);
    }
  }
  if (unknown.empty()) return;
  throw InvalidArgument(fmt::format(
      "--steps {}: expected at most {}, the horizon: what comes behind it needs columns that the "
      "model reads and does not forecast: {}",
      steps_, window_.horizon, names_text(unknown)));
}

// Takes the outputs that belong to steps from `first` on.
void Forecaster::take(std::span<const float> outputs, std::int64_t first,
                      std::vector<float>& values) const {
  const std::int64_t of_step = targets() * each_;
  const std::int64_t count = std::min(window_.horizon, steps_ - first) * of_step;
  auto to = values.begin() + first * of_step;
  for (auto from = outputs.begin(); from < outputs.end(); from += window_.horizon * of_step) {
    std::copy_n(from, count, to);
    to += steps_ * of_step;
  }
}

// Moves the windows on by the horizon: the point forecasts become their last rows, of steps from
// `first` on.
void Forecaster::go_on(const std::vector<float>& points, std::span<const std::vector<double>> times,
                       std::int64_t first) {
  const std::int64_t kept = std::max<std::int64_t>(window_.input_len - window_.horizon, 0);
  const std::int64_t skipped = std::max<std::int64_t>(window_.horizon - window_.input_len, 0);
  const auto width = static_cast<std::size_t>(features_);
  for (std::int64_t row = 0; row < next_.rows(); ++row) {
    const auto x = next_.x.begin() + row * window_.input_len * features_;
    std::copy(x + (window_.input_len - kept) * features_, x + window_.input_len * features_, x);
    for (std::int64_t step = skipped; step < window_.horizon; ++step) {
      const auto from = points.begin() + (row * window_.horizon + step) * targets();
      const std::span to(x + (kept + step - skipped) * features_, width);
      for (std::int64_t i = 0; i < targets(); ++i) {
        to[static_cast<std::size_t>(columns_[static_cast<std::size_t>(i)])] = from[i];
      }
      calendar_.fill(times[static_cast<std::size_t>(row)], first + step, to);
    }
  }
}

}  // namespace quadgate::apps
