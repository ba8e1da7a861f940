#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// How names of such files end; .tar as in checkpoint.pth.tar, .bin as in pytorch_model.bin.
inline constexpr std::array<std::string_view, 5> kTorchKinds{".pt", ".pth", ".ckpt", ".bin",
                                                             ".tar"};

/// Reads what `torch.save` of PyTorch 1.6 and newer writes: a state_dict, or a dict with one in it,
/// as training scripts and Lightning save it. Tensors may be floats or whole numbers, and views
/// with strides and offsets. It runs nothing of the file. What lies beside the tensors is left out,
/// which the notes tell. `name` stands for the file in messages. Throws FileError unless the file
/// is whole, and has one state_dict of tensors alone.
TensorFile parse_torch_file(std::span<const std::byte> bytes, const std::string& name);

/// Writes a state_dict that `torch.load(path, weights_only=True)` takes. The metadata become other
/// members of the zip file, at which PyTorch does not look. Atomic (see replace_file). Throws
/// FileError.
void write_torch_file(const std::filesystem::path& path, const TensorFile& file);

}  // namespace quadgate
