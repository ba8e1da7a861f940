#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads the safetensors format (https://huggingface.co/docs/safetensors), with floats (F64, F32,
/// F16, BF16) and whole numbers (I64, I32, I16, I8, U8, BOOL):
///
///     | length of the header, uint64 | header, JSON | array | array | ... |
///
/// A tied weight is in the file once; its other names, which `safetensors.torch.save_model` writes
/// into the metadata, are tensors as well. `name` stands for the file in messages. Throws FileError
/// unless the file is whole and of this format.
TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

/// Writes all tensors as F32, in their order. Atomic (see replace_file). Throws FileError.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
