#pragma once

#include <filesystem>

namespace quadgate::apps {

struct ImportArguments {
  std::filesystem::path input;   ///< .pt, .pth, .safetensors, .onnx or .h5
  std::filesystem::path output;  ///< checkpoint
};

/// Makes a checkpoint of a model of another program.
void import_model(const ImportArguments& arguments);

}  // namespace quadgate::apps
