#pragma once

#include <filesystem>

#include "io/formats/tensor_file.h"

namespace quadgate {

/// Whether an HDF5 file holds a state_dict, as checkpoints do. Throws FileError if it is none.
bool has_state_dict(const std::filesystem::path& path);

/// The tensors of a checkpoint, or of a file with no more than `/state_dict`, and what the file
/// says of its model, if anything, among the metadata. Throws FileError.
TensorFile read_state_dict(const std::filesystem::path& path);

}  // namespace quadgate
