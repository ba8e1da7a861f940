#include "apps/model/forecast_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>
#include <utility>

#include "apps/model/forecast_page.h"
#include "apps/model/text_output.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"
#include "io/importers/time_format.h"

namespace quadgate::apps {
namespace {

/// series,time,target,step,prediction,truth and the bands; or, if wide, series,time,step, a column
/// a target, and those of truth and bands.
class ForecastTable final : public ForecastFile {
 public:
  ForecastTable(const std::filesystem::path& path, ForecastFormat format)
      : format_(std::move(format)), text_(path), times_(TimeFormat::of_name(format_.time_format)) {
    for (const std::string& target : format_.targets) targets_.push_back(csv_field(target));
    text_.write(fmt::format("{}\n", fmt::join(format_.wide ? wide_columns() : columns(), ",")));
  }

  void add(const Forecast& forecast) override {
    const std::string series = csv_field(forecast.series);
    for (std::int64_t step = 0; step < format_.steps; ++step) {
      const auto number = static_cast<std::size_t>(step);
      const std::string time = forecast.times.empty()
                                   ? fmt::format("{}", forecast.row + step)
                                   : csv_field(times_.write(forecast.times[number], format_.step));
      const std::size_t first = number * targets_.size();
      if (format_.wide) {
        text_.write(fmt::format("{},{},{}", series, time, step + 1));
        write_all(forecast, forecast.predicted, first);
        if (format_.has_truth) write_all(forecast, forecast.truth, first);
        for (std::size_t i = 0; i < targets_.size(); ++i) write_bands(forecast, first + i);
        text_.write("\n");
        continue;
      }
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        text_.write(fmt::format(
            "{},{},{},{},{},{}", series, time, targets_[i], step + 1,
            digits(forecast, forecast.predicted[first + i], first + i),
            format_.has_truth ? digits(forecast, forecast.truth[first + i], first + i) : ""));
        write_bands(forecast, first + i);
        text_.write("\n");
      }
    }
  }

  void flush() override { text_.flush(); }
  void commit() override { text_.commit(); }

 private:
  std::string digits(const Forecast& forecast, double value, std::size_t place) const {
    const std::size_t target = place % targets_.size();
    if (std::isnan(value)) return "";
    return shortest(value, forecast.units->mean[target], forecast.units->std[target]);
  }

  std::vector<std::string> columns() const {
    std::vector<std::string> names{"series", "time", "target", "step", "prediction", "truth"};
    names.insert(names.end(), format_.bands.begin(), format_.bands.end());
    return names;
  }

  std::vector<std::string> wide_columns() const {
    std::vector<std::string> names{"series", "time", "step"};
    for (const std::string& target : format_.targets) names.push_back(csv_field(target));
    for (const std::string& target : format_.targets) {
      if (format_.has_truth) names.push_back(csv_field(target + "_truth"));
    }
    for (const std::string& target : format_.targets) {
      for (const std::string& band : format_.bands) {
        names.push_back(csv_field(fmt::format("{}_{}", target, band)));
      }
    }
    return names;
  }

  void write_bands(const Forecast& forecast, std::size_t place) {
    const std::size_t each = format_.bands.size();
    for (std::size_t i = 0; i < each; ++i) {
      const std::string& name = format_.bands[i];
      const double value = forecast.bands[place * each + i];
      const double unit = name == "df" ? 1 : forecast.units->std[place % targets_.size()];
      const bool has_level = name != "scale" && name != "df";
      text_.write(",");
      text_.write(has_level ? digits(forecast, value, place) : shortest(value, 0, unit));
    }
  }

  void write_all(const Forecast& forecast, const std::vector<double>& values, std::size_t first) {
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      text_.write(",");
      text_.write(digits(forecast, values[first + i], first + i));
    }
  }

  ForecastFormat format_;
  TextOutput text_;
  TimeFormat times_;
  std::vector<std::string> targets_;  // as fields
};

/// Datasets `prediction`, `truth` and each of the bands [windows, steps, targets], `time` [windows,
/// steps], `series` [windows].
class ForecastArrays final : public ForecastFile {
 public:
  ForecastArrays(std::filesystem::path path, ForecastFormat format)
      : path_(std::move(path)), format_(std::move(format)), bands_(format_.bands.size()) {}

  void add(const Forecast& forecast) override {
    const auto [found, is_new] =
        numbers_.emplace(forecast.series, static_cast<std::int64_t>(names_.size()));
    if (is_new) names_.push_back(forecast.series);
    series_.push_back(found->second);
    predicted_.insert(predicted_.end(), forecast.predicted.begin(), forecast.predicted.end());
    for (std::size_t i = 0; i < forecast.bands.size(); ++i) {
      bands_[i % bands_.size()].push_back(forecast.bands[i]);
    }
    truth_.insert(truth_.end(), forecast.truth.begin(), forecast.truth.end());
    has_times_ = has_times_ && !forecast.times.empty();
    times_.insert(times_.end(), forecast.times.begin(), forecast.times.end());
    for (std::int64_t step = 0; step < format_.steps; ++step) rows_.push_back(forecast.row + step);
  }

  void commit() override {
    auto file = hdf5::FileWriter::create(path_);
    file.write_string("", "format", kPredictionsFormat);
    file.write_int("", "format_version", 3);
    file.write_string("", "task", "forecast");
    file.write_strings("", "target_names", format_.targets);
    file.write_strings("", "series_names", names_);
    const std::int64_t windows = std::ssize(series_);
    const std::int64_t cube[] = {windows, format_.steps, std::ssize(format_.targets)};
    file.write("prediction", cube, predicted_);
    if (format_.has_truth) file.write("truth", cube, truth_);
    for (std::size_t i = 0; i < bands_.size(); ++i) file.write(format_.bands[i], cube, bands_[i]);
    if (!bands_.empty()) file.write_strings("", "band_names", format_.bands);
    file.write("row", std::span(cube).first(2), rows_);
    if (has_times_) {
      file.write("time", std::span(cube).first(2), times_);
      file.write_string("time", "format", format_.time_format);
    }
    file.write("series", std::span(cube).first(1), series_);
    replace_file(path_, file.image());
  }

 private:
  std::filesystem::path path_;
  ForecastFormat format_;
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<std::string> names_;    // of series
  std::vector<std::int64_t> series_;  // by window, as the others
  std::vector<std::int64_t> rows_;
  std::vector<double> times_;
  std::vector<double> predicted_;
  std::vector<double> truth_;
  std::vector<std::vector<double>> bands_;  // [bands]
  bool has_times_ = true;
};

}  // namespace

std::unique_ptr<ForecastFile> open_forecast_file(const std::filesystem::path& path,
                                                 ForecastFormat format) {
  if (path.extension() == ".h5") {
    return std::make_unique<ForecastArrays>(path, std::move(format));
  }
  if (is_page(path)) return std::make_unique<ForecastPage>(path, std::move(format));
  return std::make_unique<ForecastTable>(path, std::move(format));
}

}  // namespace quadgate::apps
