#pragma once

#include <filesystem>

#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"

namespace quadgate::apps {

/// What is written of a row.
struct RowColumns {
  bool tokens = false;         ///< of tagging
  bool probabilities = false;  ///< of all classes
};

/// Writes the predictions of a classification, tagging or regression, as CSV or, to a name in .h5,
/// as HDF5. With `words`, tokens are written as the input has them.
void write_predicted_rows(ModelOnData& model, const RowColumns& columns, const InputWords* words,
                          const std::filesystem::path& output);

}  // namespace quadgate::apps
