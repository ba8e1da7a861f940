#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads what `torch.save(module.state_dict())` writes: the zip format of PyTorch 1.6 and newer,
/// with f32, f64, bf16 and f16, and views with strides and offsets. It runs nothing of the file,
/// and refuses calls that do not make tensors. `name` stands for the file in messages. Throws
/// FileError unless the file is whole and of this format.
TensorFile parse_torch_file(std::span<const std::byte> bytes, const std::string& name);

/// Writes a state_dict that `torch.load(path, weights_only=True)` takes. The metadata become other
/// members of the zip file, at which PyTorch does not look. Atomic (see replace_file). Throws
/// FileError.
void write_torch_file(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
