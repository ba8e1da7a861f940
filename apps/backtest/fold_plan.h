#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/backtest/backtest.h"
#include "apps/train/run_config.h"
#include "io/data/dataset.h"

namespace quadgate::apps {

/// What a backtest does with its data.
struct FoldPlan {
  std::string text{};                ///< of all folds, for people
  std::uint64_t checksum = 0;        ///< of the data
  std::vector<std::string> folds{};  ///< of each: its rows, in JSON
  std::vector<std::string> notes{};  ///< what is assumed
  std::function<void(std::size_t fold, const std::filesystem::path& path)>
      write{};  ///< writes the data set of a fold
};

/// Divides series in time: walk forward. Throws InvalidArgument, naming the option, where one is
/// not for series; DataError, naming the series, where it has too few rows; FileError.
FoldPlan plan_series(const RunConfig& config, const Dataset& data,
                     const BacktestArguments& arguments);

/// Divides sequences: classes stratified. `data` must outlive the plan. Throws InvalidArgument
/// where an option is not for sequences or there are fewer rows, in all or of a class, than folds;
/// DataError and FileError.
FoldPlan plan_sequences(Dataset& data, const BacktestArguments& arguments);

/// Of as many rows for training and validation those that are for validation, the share that the
/// data set has.
std::int64_t share_of_valid(std::int64_t rows, std::int64_t train, std::int64_t valid);

}  // namespace quadgate::apps
