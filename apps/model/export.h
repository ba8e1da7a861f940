#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace quadgate::apps {

struct ExportArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path output;  ///< .pt, .safetensors, .onnx, .h5 or .weights.h5
  bool only_rnn = false;
  std::map<std::string, std::string> names{};  ///< of a part ("rnn"), in .pt and .safetensors
  bool standardized = false;   ///< .onnx, .weights.h5: values as the model was trained on
  bool probabilities = false;  ///< .onnx: of classes, in the place of logits
  bool force = false;          ///< replace a data set, or a checkpoint by what is none
};

/// Writes a model for other programs.
void export_model(const ExportArguments& arguments);

}  // namespace quadgate::apps
