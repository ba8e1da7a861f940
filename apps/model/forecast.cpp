#include "apps/model/forecast.h"

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/model/bands.h"
#include "apps/model/forecast_file.h"
#include "apps/model/forecaster.h"
#include "apps/model/train_statistics.h"
#include "apps/model/window_times.h"
#include "io/data/output_units.h"

namespace quadgate::apps {
namespace {

/// Rows of a season: of the train split as `evaluate` finds them, or of the only split.
std::optional<std::int64_t> season_of(const ModelOnData& model,
                                      std::span<const std::filesystem::path> data) {
  const std::string split =
      model.dataset().has_split("train") ? "train" : model.dataset().split_names().front();
  return measure_train(data, model.dataset().description(), {}, split).season;
}

/// Makes forecasts in original units of what the head gives.
class ForecastMaker {
 public:
  ForecastMaker(ModelOnData& model, const std::vector<double>& levels)
      : loss_(model.description().config),
        bands_(model.description().config, levels),
        columns_(target_columns(model.dataset().description())),
        targets_(columns_.size()),
        width_(static_cast<std::size_t>(model.dataset().input_size())),
        each_(static_cast<std::size_t>(model.description().config.loss.outputs_per_target())) {}

  const Bands& bands() const noexcept { return bands_; }

  /// What is made from now on is of the split that the model is on.
  void begin_split(ModelOnData& model) {
    units_.emplace(model.dataset().description(), model.split(),
                   model.description().config.target_size());
  }
  /// And of its window number `window`.
  void begin(std::int64_t window) { now_ = &units_->of(window); }
  /// Of that window.
  const OutputUnits& units() const noexcept { return *now_; }

  /// Appends to `forecast` the `outputs` [steps, targets, outputs of a target].
  void add_predictions(std::span<const float> outputs, Forecast& forecast) {
    for (const float point : loss_.points(outputs)) {
      forecast.predicted.push_back(in_units(point, forecast.predicted.size()));
    }
    for (std::size_t i = 0; i < forecast.predicted.size(); ++i) {
      const std::size_t target = i % targets_;
      bands_.append(outputs.subspan(i * each_, each_), now_->mean[target], now_->std[target],
                    forecast.bands);
    }
  }

  /// Appends `targets` [horizon, targets] to it, and NaN for later steps.
  void add_truth(std::span<const float> targets, Forecast& forecast) const {
    for (const float value : targets) {
      if (forecast.truth.size() == forecast.predicted.size()) return;
      forecast.truth.push_back(in_units(value, forecast.truth.size()));
    }
    forecast.truth.resize(forecast.predicted.size(), std::numeric_limits<double>::quiet_NaN());
  }

  /// The targets of the inputs that window `row` of a batch has.
  std::vector<double> history(const Batch& batch, std::int64_t row) const {
    std::vector<double> values;
    const auto end = static_cast<std::size_t>(batch.offsets[static_cast<std::size_t>(row) + 1]);
    for (auto step = static_cast<std::size_t>(batch.offsets[static_cast<std::size_t>(row)]);
         step < end; ++step) {
      for (const std::int64_t column : columns_) {
        const std::size_t at = step * width_ + static_cast<std::size_t>(column);
        values.push_back(in_units(batch.x[at], values.size()));
      }
    }
    return values;
  }

  /// Notes on the bands of forecasts for so many steps.
  void tell(std::int64_t steps, std::int64_t horizon, std::int64_t values) const {
    if (bands_.names().empty()) return;
    if (steps > horizon) {
      note(
          fmt::format("steps {} to {} go on from the model's own point forecasts ({}): their bands "
                      "do not hold how unsure those are",
                      horizon + 1, steps, bands_.point()));
    }
    if (bands_.crossed() == 0) return;
    note(
        fmt::format("of {} of {} values a quantile is below one of a lower level, as the model "
                    "gives them",
                    bands_.crossed(), values));
  }

 private:
  double in_units(float value, std::size_t place) const {
    const std::size_t target = place % targets_;
    return static_cast<double>(value) * now_->std[target] + now_->mean[target];
  }

  Loss loss_;
  std::optional<WindowUnits> units_;
  const OutputUnits* now_ = nullptr;  // of the window
  Bands bands_;
  std::vector<std::int64_t> columns_;  // of the targets
  std::size_t targets_;
  std::size_t width_;  // features of a step
  std::size_t each_;
};

class Forecasts final : public PredictionWriter {
 public:
  Forecasts(ModelOnData& model, std::span<const std::filesystem::path> data,
            const ForecastOptions& options, const std::filesystem::path& output)
      : model_(model),
        window_(*model.dataset().description().window),
        is_future_(model.split_name() == kFuture),
        forecaster_(model, options.steps.value_or(window_.horizon)),
        maker_(model, options.quantiles),
        times_(model, window_.input_len),
        file_(open_forecast_file(
            output, {.targets = window_.targets,
                     .bands = maker_.bands().names(),
                     .steps = forecaster_.steps(),
                     .has_truth = !is_future_,
                     .wide = options.wide,
                     .time_format = times_.recipe().time_format,
                     .step = times_.recipe().step,
                     .title = options.title,
                     .point = maker_.bands().point(),
                     .season = is_page(output) ? season_of(model, data) : std::nullopt})) {}

  void add(const InputWords*) override {
    maker_.begin_split(model_);
    std::int64_t number = 0;  // of a window of the split
    model_.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
      if (stop_requested()) throw StopRequest();
      add(batch, outputs, number);
      number += batch.rows();
    });
    file_->flush();
    windows_ += number;
  }

  std::string finish() override {
    file_->commit();
    times_.tell();
    if (!is_future_) note_gaps(model_);
    maker_.tell(forecaster_.steps(), window_.horizon,
                windows_ * forecaster_.steps() * forecaster_.targets());
    return is_future_ ? fmt::format("the future of {} series", windows_)
                      : fmt::format("{} windows", windows_);
  }

 private:
  /// The first window of the batch is number `first` of the split.
  void add(const Batch& batch, std::span<const float> outputs, std::int64_t first) {
    std::vector<WindowPlace> places;
    std::vector<std::vector<double>> target_times;
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      places.push_back(model_.split().place(first + row));
      target_times.push_back(times_.of_targets(places.back(), forecaster_.steps()));
    }
    forecaster_.run(batch, outputs, target_times, values_);
    const auto rows = static_cast<std::size_t>(batch.rows());
    const std::size_t size = values_.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const WindowPlace& place = places[row];
      maker_.begin(first + static_cast<std::int64_t>(row));
      if (is_future_) times_.check(place, model_.dataset().path().string());
      Forecast forecast{.series = place.series,
                        .row = windows_ * window_.stride + place.first + window_.input_len,
                        .times = std::move(target_times[row]),
                        .units = &maker_.units()};
      maker_.add_predictions(std::span(values_).subspan(row * size, size), forecast);
      if (!is_future_) {
        const std::size_t targets = batch.targets.size() / rows;
        maker_.add_truth(std::span(batch.targets).subspan(row * targets, targets), forecast);
      }
      if (file_->shows_history()) {
        forecast.history = maker_.history(batch, static_cast<std::int64_t>(row));
        forecast.history_times = times_.of_inputs(place);
      }
      file_->add(forecast);
    }
  }

  ModelOnData& model_;
  Window window_;
  bool is_future_;
  Forecaster forecaster_;
  ForecastMaker maker_;
  WindowTimes times_;
  std::unique_ptr<ForecastFile> file_;
  std::int64_t windows_ = 0;  // of the data that were before: theirs begin a stride apart
  std::vector<float> values_;
};

}  // namespace

std::unique_ptr<PredictionWriter> open_forecasts(ModelOnData& model,
                                                 std::span<const std::filesystem::path> data,
                                                 const ForecastOptions& options,
                                                 const std::filesystem::path& output) {
  return std::make_unique<Forecasts>(model, data, options, output);
}

}  // namespace quadgate::apps
