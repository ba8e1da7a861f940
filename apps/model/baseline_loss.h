#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "engine/model/config.h"
#include "io/data/dataset.h"

namespace quadgate::apps {

/// The best forecast of a split that needs no model.
struct BaselineLoss {
  std::string text;  ///< what it does: "repeating the last value"
  double loss = 0;   ///< the mean, as of a model with the same loss
};

/// Runs the baselines over a split of a forecast's data set, whose files are at `paths`. Throws
/// FileError or DataError if they cannot be read.
BaselineLoss best_baseline(const ModelConfig& model, std::span<const std::filesystem::path> paths,
                           Dataset& data, const std::string& split);

}  // namespace quadgate::apps
