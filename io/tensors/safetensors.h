#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads the safetensors format (https://huggingface.co/docs/safetensors): the length of a JSON
/// header, the header, the arrays one after another; dtypes F64, F32, F16 and BF16. `name` stands
/// for the file in messages. Throws FileError unless the file is whole and all of that.
TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

/// Writes all tensors as F32, in their order. Atomic (see replace_file). Throws FileError.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
