#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads what `torch.save(module.state_dict())` writes: the zip format of PyTorch 1.6 and newer,
/// f32, f64, bf16 and f16, views with strides and offsets. Nothing in it is run: calls other than
/// those that make tensors are refused. `name` stands for the file in messages. Throws FileError
/// unless it is whole and all of that.
TensorFile parse_torch_file(std::span<const std::byte> bytes, const std::string& name);

/// Writes a state_dict that `torch.load(path, weights_only=True)` takes. The metadata become
/// members of the zip file beside it, which PyTorch does not look at. Atomic (see replace_file).
/// Throws FileError.
void write_torch_file(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
