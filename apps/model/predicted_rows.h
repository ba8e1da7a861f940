#pragma once

#include <filesystem>
#include <memory>

#include "apps/model/model_on_data.h"
#include "apps/model/prediction_writer.h"

namespace quadgate::apps {

/// What is written of a row.
struct RowColumns {
  bool tokens = false;         ///< of tagging
  bool probabilities = false;  ///< of all classes
};

/// Writes the predictions of a classification, tagging or regression, as CSV or, to a name in .h5,
/// as HDF5.
std::unique_ptr<PredictionWriter> open_predicted_rows(ModelOnData& model, const RowColumns& columns,
                                                      const std::filesystem::path& output);

}  // namespace quadgate::apps
