#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads the safetensors format (https://huggingface.co/docs/safetensors), with the dtypes F64,
/// F32, F16 and BF16:
///
///     | length of the header, uint64 | header, JSON | array | array | ... |
///
/// `name` stands for the file in messages. Throws FileError unless the file is whole and of this
/// format.
TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

/// Writes all tensors as F32, in their order. Atomic (see replace_file). Throws FileError.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
