#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct PredictArguments {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> data;  ///< files of one data set, or
  std::filesystem::path input{};            ///< a raw file, "-" for stdin
  std::filesystem::path future{};           ///< a table of known columns behind its rows, or empty
  /// None: of a forecast what comes after the last rows, else test, or the only split there is.
  std::optional<std::string> split;
  std::filesystem::path output;       ///< .csv, .h5 or, of forecasts, .html; "-" is stdout
  std::optional<std::int64_t> steps;  ///< of a forecast, as the next three
  bool wide = false;
  std::vector<double> quantiles{};  ///< to tell of forecasts
  bool windows = false;             ///< of the past, of the split
  bool probabilities = false;       ///< of all classes
  bool force = false;               ///< replace a data set or checkpoint
  std::optional<int> threads;
};

/// Writes the predictions of a model for a split of a data set, or for a raw file. Returns a line
/// that says so; nothing if they went to stdout.
std::string write_predictions(const PredictArguments& arguments);

/// Writes them, and prints that.
void predict(const PredictArguments& arguments);

}  // namespace quadgate::apps
