#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "apps/commands.h"
#include "engine/error.h"
#include "io/checkpoint.h"
#include "io/formats/onnx_writer.h"
#include "io/formats/safetensors.h"
#include "io/formats/torch_file.h"

namespace quadgate::apps {
namespace {

/// What is exported.
struct Model {
  ModelDescription description;
  Parameters parameters;
};

constexpr std::string_view kRnn = "rnn.";

/// The state_dict of the model, or, under the names of a bare torch.nn.LSTM, of its recurrent part.
TensorFile tensors_of(const Model& model, bool only_rnn) {
  TensorFile file;
  const auto add = [&](std::string name, const ParameterSlice& slice) {
    const auto values = model.parameters.value(slice);
    file.tensors.push_back(
        {.name = std::move(name), .shape = slice.shape, .values = {values.begin(), values.end()}});
  };
  for (const ParameterSlice& slice : model.parameters.slices()) {
    if (!only_rnn) add(slice.name, slice);
    if (only_rnn && slice.name.starts_with(kRnn)) add(slice.name.substr(kRnn.size()), slice);
  }
  if (!only_rnn && model.parameters.tied()) {
    add("head.weight", model.parameters.embedding_weight());
  }
  return file;
}

void export_pt(const Model& model, const ExportArguments& arguments) {
  write_torch_file(arguments.output, tensors_of(model, arguments.only_rnn));
}

void export_safetensors(const Model& model, const ExportArguments& arguments) {
  TensorFile file = tensors_of(model, arguments.only_rnn);
  file.metadata["format"] = "pt";
  write_safetensors(arguments.output, file);
}

void export_onnx(const Model& model, const ExportArguments& arguments) {
  if (arguments.only_rnn) {
    throw InvalidArgument("--only rnn: expected .pt or .safetensors, found .onnx");
  }
  write_onnx(arguments.output, model.description, model.parameters, {});
}

void export_h5(const Model& model, const ExportArguments& arguments) {
  if (arguments.only_rnn) {
    throw InvalidArgument("--only rnn: expected .pt or .safetensors, found .h5");
  }
  save_model(arguments.output, model.description, model.parameters);
}

using Export = void (*)(const Model&, const ExportArguments&);

constexpr std::array<std::pair<std::string_view, Export>, 4> kExports{
    {{".pt", export_pt},
     {".safetensors", export_safetensors},
     {".onnx", export_onnx},
     {".h5", export_h5}}};

}  // namespace

void export_model(const ExportArguments& arguments) {
  const auto* const found = std::ranges::find(kExports, arguments.output.extension().string(),
                                              &decltype(kExports)::value_type::first);
  if (found == kExports.end()) {
    throw InvalidArgument(
        fmt::format("{}: expected a name that ends in .pt, .safetensors, .onnx or .h5",
                    arguments.output.string()));
  }
  const ModelDescription description = read_model_description(arguments.checkpoint);
  Model model{description, Parameters(description.config)};
  load_parameters(arguments.checkpoint, model.parameters);
  found->second(model, arguments);
  fmt::print(stderr, "wrote {}\n", arguments.output.string());
}

}  // namespace quadgate::apps
