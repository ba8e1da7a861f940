#pragma once

#include <filesystem>
#include <optional>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// The tensors of a checkpoint, or of a file with no more than `/state_dict`, and what the file
/// says of its model, if anything, among the metadata; empty if it has no such group. Throws
/// FileError.
std::optional<TensorFile> read_state_dict(const std::filesystem::path& path);

}  // namespace quadgate
