#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/data/output_units.h"
#include "io/data/time_step.h"

namespace quadgate::apps {

/// What a file of forecasts holds.
struct ForecastFormat {
  std::vector<std::string> targets{};
  std::vector<std::string> bands{};  ///< names of what is told of a value beside its prediction
  std::int64_t steps = 0;
  bool has_truth = false;
  bool wide = false;
  std::string time_format{};  ///< of a Recipe
  TimeStep step{};            ///< of the series
  /// This and the next two: of a page.
  std::string title{};
  std::string point{};                   ///< what the prediction of a model with bands is
  std::optional<std::int64_t> season{};  ///< rows
};

/// What follows a window.
struct Forecast {
  std::string series{};
  std::int64_t row = 0;             ///< of the series: the first that is forecast
  std::vector<double> times{};      ///< [steps], or none if they are not known
  std::vector<double> predicted{};  ///< [steps, targets]
  std::vector<double> bands{};      ///< [steps, targets, bands]
  std::vector<double> truth{};      ///< the same, NaN where it is not known; or none
  std::vector<double> history{};    ///< [input_len, targets], if the file shows it
  std::vector<double> history_times{};
  const OutputUnits* units = nullptr;  ///< of the targets: alive until it is written
};

/// A file that is written forecast by forecast. Throws FileError.
class ForecastFile {
 public:
  virtual ~ForecastFile() = default;
  /// Whether it wants Forecast::history.
  virtual bool shows_history() const noexcept { return false; }
  virtual void add(const Forecast& forecast) = 0;
  /// What was added arrives where it is read, if the format can have that.
  virtual void flush() {}
  /// Call it once all are written.
  virtual void commit() = 0;
};

/// Whether a file of that name is a page.
inline bool is_page(const std::filesystem::path& path) { return path.extension() == ".html"; }

/// HDF5 for a name in .h5, a page for one in .html, else CSV; "-" is stdout.
std::unique_ptr<ForecastFile> open_forecast_file(const std::filesystem::path& path,
                                                 ForecastFormat format);

}  // namespace quadgate::apps
