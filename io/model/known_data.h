#pragma once

#include <filesystem>
#include <string>

#include "io/model/model_description.h"

namespace quadgate {

/// What a checkpoint knows of the data that it was trained on, or a data set of its own: what other
/// data are to be like.
struct KnownData {
  std::filesystem::path path{};
  std::string task{};  ///< as the attribute "task" of a data set
  DataDescription data{};
};

/// Reads it from a checkpoint or a data set. Throws FileError if the file is neither.
KnownData read_known_data(const std::filesystem::path& path);

/// What a model is for, in the words of a data set's attribute "task" (see read_dataset_task).
std::string task_name(const ModelDescription& model);

/// The task of a network for data of that name.
Task network_task(const std::string& task);

}  // namespace quadgate
