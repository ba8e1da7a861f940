#include "apps/model/export.h"

#include <fmt/format.h>

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

/// In PyTorch's layout, which may be the recurrent layers alone.
void write_tensors(const Model& model, const ExportArguments& arguments, bool is_torch) {
  TensorFile file = tensors_of(model, arguments.only_rnn);
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
