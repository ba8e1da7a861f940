#include "apps/model/forecast.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/model/forecast_file.h"
#include "engine/base/error.h"
#include "io/data/feature_view.h"
#include "io/importers/time_format.h"

namespace quadgate::apps {
namespace {

/// The recipe of the series: what the model knows of them, or else what the data set does.
Recipe recipe_of(const ModelOnData& model) {
  const auto& known = model.description().data.recipe;
  if (known && known->step.is_known()) return *known;
  return model.dataset().description().recipe.value_or(Recipe());
}

/// Forecasts of a batch of windows, row by row of time, recursively behind the horizon.
class Forecaster {
 public:
  Forecaster(ModelOnData& model, std::int64_t steps)
      : model_(model),
        loss_(model.description().config),
        columns_(target_columns(model.dataset().description())),
        window_(*model.dataset().description().window),
        features_(model.dataset().input_size()),
        steps_(steps) {
    if (steps_ > window_.horizon) expect_all_columns();
  }

  /// Fills `values` [rows, steps, targets], in the scale of the data set, with what follows the
  /// inputs of the batch, of which `outputs` is the head's output.
  void run(const Batch& batch, std::span<const float> outputs, std::vector<float>& values) {
    const std::int64_t rows = batch.rows();
    values.resize(static_cast<std::size_t>(rows * steps_ * targets()));
    points_ = loss_.points(outputs);
    take(rows, 0, values);
    if (steps_ <= window_.horizon) return;
    next_ = batch;
    next_.targets.clear();
    for (std::int64_t done = window_.horizon; done < steps_; done += window_.horizon) {
      if (stop_requested()) throw StopRequest();
      go_on();
      model_.predict(next_, outputs_);
      points_ = loss_.points(outputs_);
      take(rows, done, values);
    }
  }

  std::int64_t targets() const noexcept { return std::ssize(columns_); }
  std::int64_t steps() const noexcept { return steps_; }

 private:
  void expect_all_columns() const {
    std::vector<std::string> unknown;
    const auto& names = model_.dataset().description().feature_names;
    for (std::int64_t i = 0; i < features_; ++i) {
      if (std::ranges::find(columns_, i) == columns_.end()) {
        unknown.push_back(names[static_cast<std::size_t>(i)]);
      }
    }
    if (unknown.empty()) return;
    throw InvalidArgument(fmt::format(
        "--steps {}: expected at most {}, the horizon: what comes behind it needs columns that the "
        "model reads and does not forecast: {}",
        steps_, window_.horizon, names_text(unknown)));
  }

  // Takes the rows of points_ that belong to steps from `first` on.
  void take(std::int64_t rows, std::int64_t first, std::vector<float>& values) const {
    const std::int64_t count = std::min(window_.horizon, steps_ - first) * targets();
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(points_.begin() + row * window_.horizon * targets(), count,
                  values.begin() + (row * steps_ + first) * targets());
    }
  }

  // Moves the windows on by the horizon: what was forecast becomes their last rows.
  void go_on() {
    const std::int64_t kept = std::max<std::int64_t>(window_.input_len - window_.horizon, 0);
    const std::int64_t skipped = std::max<std::int64_t>(window_.horizon - window_.input_len, 0);
    for (std::int64_t row = 0; row < next_.rows(); ++row) {
      const auto x = next_.x.begin() + row * window_.input_len * features_;
      std::copy(x + (window_.input_len - kept) * features_, x + window_.input_len * features_, x);
      for (std::int64_t step = skipped; step < window_.horizon; ++step) {
        const auto from = points_.begin() + (row * window_.horizon + step) * targets();
        const auto to = x + (kept + step - skipped) * features_;
        for (std::int64_t i = 0; i < targets(); ++i) {
          to[columns_[static_cast<std::size_t>(i)]] = from[i];
        }
      }
    }
  }

  ModelOnData& model_;
  Loss loss_;
  std::vector<std::int64_t> columns_;  // of the targets
  Window window_;
  std::int64_t features_;
  std::int64_t steps_;
  Batch next_;
  std::vector<float> outputs_;
  std::vector<float> points_;  // [rows, horizon, targets], of the outputs
};

/// Whether two times are the same but for rounding.
bool are_close(double a, double b) {
  constexpr double kRounding = 4e-6;
  return std::abs(a - b) <= kRounding + 1e-12 * std::abs(a);
}

/// Tells the times of a window's targets, and whether those of its inputs are regular.
class WindowTimes {
 public:
  WindowTimes(const ModelOnData& model, std::int64_t input_len)
      : recipe_(recipe_of(model)), input_len_(input_len) {}

  /// Of the targets; none if they are not known.
  std::vector<double> of_targets(const WindowPlace& place, std::int64_t steps) const {
    std::vector<double> times;
    if (place.times.empty()) return times;
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t at = input_len_ + i;
      const std::int64_t behind = at + 1 - std::ssize(place.times);
      if (behind > 0 && !recipe_.step.is_known()) return {};
      times.push_back(behind > 0 ? time_after(place.times.back(), recipe_.step, behind)
                                 : place.times[static_cast<std::size_t>(at)]);
    }
    return times;
  }

  /// Throws DataError at a step that the series of the model do not have; if they have others than
  /// the usual one, counts it.
  void check(const WindowPlace& place, const std::string& where) {
    for (std::size_t i = 1; i < place.times.size() && recipe_.step.is_known(); ++i) {
      if (are_close(place.times[i], time_after(place.times[i - 1], recipe_.step))) continue;
      if (++others_ > 0 && recipe_.other_steps > 0) continue;
      const auto text = [&](double time) {
        return TimeFormat::of_name(recipe_.time_format).format(time);
      };
      throw DataError(fmt::format(
          "{}: expected a row every {}, as the data that the model was trained on have, found {} "
          "and {} next to each other (prepare --like with --resample and --missing makes rows "
          "regular)",
          place.series.empty() ? where : fmt::format("{}: series '{}'", where, place.series),
          to_string(recipe_.step), text(place.times[i - 1]), text(place.times[i])));
    }
  }

  void tell() const {
    if (others_ == 0) return;
    note(
        fmt::format("{} of the rows that the forecasts set out from are not {} behind the row "
                    "before, as of the data that the model was trained on",
                    others_, to_string(recipe_.step)));
  }

  const Recipe& recipe() const noexcept { return recipe_; }

 private:
  Recipe recipe_;
  std::int64_t input_len_;
  std::int64_t others_ = 0;
};

}  // namespace

void write_forecasts(ModelOnData& model, const ForecastOptions& options,
                     const std::filesystem::path& output) {
  const DataDescription& data = model.dataset().description();
  const Window& window = *data.window;
  const bool is_future = model.split_name() == kFuture;
  Forecaster forecaster(model, options.steps.value_or(window.horizon));
  WindowTimes times(model, window.input_len);
  const OutputUnits units = output_units(model.dataset(), model.description().config.target_size());
  const auto file = open_forecast_file(output, {.targets = window.targets,
                                                .steps = forecaster.steps(),
                                                .has_truth = !is_future,
                                                .wide = options.wide,
                                                .time_format = times.recipe().time_format,
                                                .step = times.recipe().step});
  std::vector<float> values;
  std::int64_t number = 0;  // of a window
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    if (stop_requested()) throw StopRequest();
    forecaster.run(batch, outputs, values);
    const std::int64_t size = forecaster.steps() * forecaster.targets();
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      const WindowPlace place = model.split().place(number++);
      if (is_future) times.check(place, model.dataset().path().string());
      Forecast forecast{.series = place.series,
                        .row = place.first + window.input_len,
                        .times = times.of_targets(place, forecaster.steps())};
      const auto in_units = [&](float value, std::int64_t i) {
        const auto unit = static_cast<std::size_t>(i) % units.mean.size();
        return static_cast<double>(value) * units.std[unit] + units.mean[unit];
      };
      const std::int64_t horizon_size = window.horizon * forecaster.targets();
      for (std::int64_t i = 0; i < size; ++i) {
        const auto target = i % forecaster.targets();
        forecast.predicted.push_back(
            in_units(values[static_cast<std::size_t>(row * size + i)], target));
        if (is_future) continue;
        forecast.truth.push_back(
            i < horizon_size
                ? in_units(batch.targets[static_cast<std::size_t>(row * horizon_size + i)], target)
                : std::numeric_limits<double>::quiet_NaN());
      }
      file->add(forecast);
    }
  });
  file->commit();
  times.tell();
  if (const auto names = model.description().config.loss.output_names(); !names.empty()) {
    note(fmt::format("written are the point forecasts; --split alone writes {} of each window",
                     fmt::join(names, ", ")));
  }
}

}  // namespace quadgate::apps
