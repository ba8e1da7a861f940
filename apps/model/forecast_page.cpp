#include "apps/model/forecast_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "apps/common/embedded.h"
#include "apps/common/html_page.h"
#include "apps/common/warn.h"
#include "apps/model/text_output.h"
#include "io/importers/time_format.h"

namespace quadgate::apps {
namespace {

using PageJson = nlohmann::ordered_json;

/// Every `of`-th value from `first` on; null for what is not known.
PageJson column(const std::vector<double>& values, std::size_t first, std::size_t of) {
  PageJson column = PageJson::array();
  for (std::size_t i = first; i < values.size(); i += of) {
    column.push_back(std::isnan(values[i]) ? PageJson() : PageJson(values[i]));
  }
  return column;
}

/// What repeats the last `season` values of a target.
PageJson naive(const std::vector<double>& history, std::size_t season, std::int64_t steps) {
  PageJson values = PageJson::array();
  for (std::int64_t step = 0; step < steps; ++step) {
    values.push_back(history[history.size() - season + static_cast<std::size_t>(step) % season]);
  }
  return values;
}

/// A window's values of one target.
PageJson target_record(const Forecast& forecast, const ForecastFormat& format, std::size_t target) {
  const std::size_t targets = format.targets.size();
  const std::size_t bands = format.bands.size();
  PageJson record;
  record["history"] = column(forecast.history, target, targets);
  record["prediction"] = column(forecast.predicted, target, targets);
  if (format.has_truth) record["truth"] = column(forecast.truth, target, targets);
  record["bands"] = PageJson::object();
  for (std::size_t i = 0; i < bands; ++i) {
    record["bands"][format.bands[i]] = column(forecast.bands, target * bands + i, targets * bands);
  }
  const auto history = record["history"].get<std::vector<double>>();
  record["baselines"]["last value"] = naive(history, 1, format.steps);
  if (const auto season = static_cast<std::size_t>(format.season.value_or(1));
      season > 1 && season <= history.size()) {
    record["baselines"][fmt::format("{} rows before", season)] =
        naive(history, season, format.steps);
  }
  return record;
}

PageJson window_record(const Forecast& forecast, const ForecastFormat& format) {
  const TimeFormat times = TimeFormat::of_name(format.time_format);
  const auto text = [&](const std::vector<double>& known, std::int64_t first, std::size_t count) {
    PageJson labels = PageJson::array();
    for (std::size_t i = 0; i < count; ++i) {
      labels.push_back(known.empty() ? fmt::format("{}", first + static_cast<std::int64_t>(i))
                                     : times.write(known[i], format.step));
    }
    return labels;
  };
  const std::size_t rows = forecast.history.size() / format.targets.size();
  PageJson record{{"series", forecast.series}, {"row", forecast.row}};
  record["history_times"] =
      text(forecast.history_times, forecast.row - static_cast<std::int64_t>(rows), rows);
  record["times"] = text(forecast.times, forecast.row, static_cast<std::size_t>(format.steps));
  for (std::size_t target = 0; target < format.targets.size(); ++target) {
    record["targets"].push_back(target_record(forecast, format, target));
  }
  return record;
}

}  // namespace

ForecastPage::ForecastPage(std::filesystem::path path, ForecastFormat format)
    : path_(std::move(path)), format_(std::move(format)) {}

// As many as a browser reads at once.
std::size_t ForecastPage::most_windows(const Forecast& forecast) const {
  constexpr std::size_t kMostWindows = 512;
  constexpr std::size_t kMostNumbers = 1'000'000;
  const std::size_t numbers = forecast.history.size() + forecast.bands.size() +
                              4 * forecast.predicted.size();  // and truth and baselines
  return std::clamp<std::size_t>(kMostNumbers / numbers, 2, kMostWindows);
}

void ForecastPage::add(const Forecast& forecast) {
  ++added_;
  const bool goes_on = !shown_.empty() && shown_.back().series == forecast.series;
  if (goes_on && forecast.row >= shown_.back().row && forecast.row < end_) return;
  end_ = forecast.row + format_.steps;
  if (apart_++ % every_ != 0) return;
  shown_.push_back(forecast);
  if (shown_.size() <= most_windows(forecast)) return;
  std::vector<Forecast> fewer;
  for (std::size_t i = 0; i < shown_.size(); i += 2) fewer.push_back(std::move(shown_[i]));
  shown_ = std::move(fewer);
  every_ *= 2;
}

void ForecastPage::commit() {
  PageJson record{{"targets", format_.targets}, {"bands", format_.bands}, {"point", format_.point}};
  record["windows"] = PageJson::array();
  for (const Forecast& forecast : shown_) {
    record["windows"].push_back(window_record(forecast, format_));
  }
  const std::string json = record.dump(-1, ' ', false, PageJson::error_handler_t::replace);
  const bool shows_all = std::cmp_equal(shown_.size(), added_);
  const std::string some =
      fmt::format("{} of {} windows, evenly spread, which do not overlap", shown_.size(), added_);
  TextOutput text(path_);
  text.write(
      fill_page(embedded_forecast_page(), {{"title", escape_html(format_.title)},
                                           {"some", shows_all ? "" : "Shown are " + some + "."},
                                           {"record", escape_json(json)},
                                           {"chart_script", chart_script()}}));
  text.commit();
  if (!shows_all) note("the page shows " + some);
}

}  // namespace quadgate::apps
