#include "apps/model/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <span>
#include <string>

#include "apps/common/output_file.h"
#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "io/model/json_attributes.h"
#include "io/model/model_tensors.h"
#include "io/model/onnx_writer.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/torch_file.h"

namespace quadgate::apps {
namespace {

/// Calls the tensors of some parts as told: "lstm.weight_ih_l0" instead of "rnn.weight_ih_l0".
void rename_parts(TensorFile& file, const std::map<std::string, std::string>& names) {
  if (names.empty()) return;
  std::set<std::string> parts;
  std::set<std::string> found;
  for (NamedTensor& tensor : file.tensors) {
    const std::size_t point = tensor.name.find('.');
    const std::string part = tensor.name.substr(0, point);
    parts.insert(part);
    if (const auto name = names.find(part); name != names.end()) {
      tensor.name = name->second + tensor.name.substr(point);
    }
    if (!found.insert(tensor.name).second) {
      throw InvalidArgument(
          fmt::format("--map: expected names that differ, found '{}' twice", tensor.name));
    }
  }
  for (const auto& [part, name] : names) {
    if (parts.contains(part)) continue;
    throw InvalidArgument(fmt::format("--map {}={}: expected a part of the model, {}, found '{}'",
                                      name, part, fmt::join(parts, ", "), part));
  }
  file.metadata.erase(kModelKey);  // it is of the usual names
}

/// In PyTorch's layout, which may be the recurrent layers alone.
void write_tensors(const Model& model, const ExportArguments& arguments, bool is_torch) {
  TensorFile file = tensors_of(model, arguments.only_rnn);
  rename_parts(file, arguments.names);
  if (is_torch) return write_torch_file(arguments.output, file);
  file.metadata["format"] = "pt";
  write_safetensors(arguments.output, file);
}

void write_whole(const Model& model, const std::filesystem::path& output) {
  if (output.extension() == ".onnx") {
    return write_onnx(output, model.description, model.parameters,
                      {{kModelKey, to_json(model.description)}});
  }
  if (is_keras_name(output)) {
    return write_keras_file(output, model.description.config, model.parameters);
  }
  save_model(output, model.description, model.parameters);
}

}  // namespace

void export_model(const ExportArguments& arguments) {
  const std::filesystem::path& output = arguments.output;
  const std::string kind = output.extension().string();
  const bool is_tensors = kind == ".pt" || kind == ".safetensors";
  if (!is_tensors && kind != ".onnx" && kind != ".h5") {
    throw InvalidArgument(
        fmt::format("{}: expected a name that ends in .pt, .safetensors, .onnx, .h5 or .weights.h5",
                    output.string()));
  }
  if (arguments.only_rnn && !is_tensors) {
    throw InvalidArgument(
        fmt::format("--only rnn: expected .pt or .safetensors, found {}", output.string()));
  }
  if (!arguments.names.empty() && (!is_tensors || arguments.only_rnn)) {
    throw InvalidArgument(
        fmt::format("--map: expected .pt or .safetensors without --only, found {}",
                    arguments.only_rnn ? "--only rnn" : output.string()));
  }
  expect_no_input(output, std::span(&arguments.checkpoint, 1));
  if (!arguments.force) {
    expect_same_format(output, kind == ".h5" && !is_keras_name(output) ? kCheckpointFormat : kind);
  }
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription description = checkpoint.description();
  Model model{description, Parameters(description.config)};
  checkpoint.load_parameters(model.parameters);
  is_tensors ? write_tensors(model, arguments, kind == ".pt") : write_whole(model, output);
  fmt::print(stderr, "wrote {}\n", output.string());
}

}  // namespace quadgate::apps
