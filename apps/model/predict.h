#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct PredictArguments {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> data;  ///< files of one data set
  std::string split = "test";
  std::filesystem::path output;  ///< .csv or .h5
  bool force = false;            ///< replace a data set or checkpoint
  std::optional<int> threads;
};

/// Writes the predictions of a model for a split.
void predict(const PredictArguments& arguments);

}  // namespace quadgate::apps
