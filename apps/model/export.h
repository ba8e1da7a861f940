#pragma once

#include <filesystem>

namespace quadgate::apps {

struct ExportArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path output;  ///< .pt, .safetensors, .onnx, .h5 or .weights.h5
  bool only_rnn = false;
};

/// Writes a model for other programs.
void export_model(const ExportArguments& arguments);

}  // namespace quadgate::apps
