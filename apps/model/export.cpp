#include "apps/model/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>

#include "apps/common/output_file.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/data/output_units.h"
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

/// Throws InvalidArgument, naming the option, unless the file can be written as it asks.
void expect_use_of_options(const ModelConfig& model, const ExportArguments& arguments) {
  const std::string output = arguments.output.string();
  const bool is_onnx = arguments.output.extension() == ".onnx";
  if (arguments.standardized && !is_onnx && !is_keras_name(arguments.output)) {
    throw InvalidArgument(fmt::format(
        "--standardized: expected .onnx or .weights.h5, found {}, which has no scale", output));
  }
  if (!arguments.probabilities) return;
  if (!is_onnx) {
    throw InvalidArgument(fmt::format(
        "--probabilities: expected .onnx, found {}, which holds weights alone", output));
  }
  if (model.task == Task::regression) {
    throw InvalidArgument("--probabilities: expected a model of classes, found one of values");
  }
}

/// Tells of columns that float32 numbers in their own units cannot tell apart well.
void tell_of_lost_digits(const DataDescription& data, const std::filesystem::path& output) {
  constexpr double kMost = 1e4;  // of a mean, in standard deviations: three digits are left
  for (std::size_t i = 0; i < data.mean.size(); ++i) {
    if (std::abs(data.mean[i]) <= kMost * data.std[i]) continue;
    note(
        fmt::format("{}: float32 values of '{}' around {:g} keep few digits of its std, {:g}; with "
                    "--standardized they are scaled before",
                    output.string(), data.feature_names[i], data.mean[i], data.std[i]));
  }
}

void write_graph(const Model& model, const ExportArguments& arguments) {
  std::map<std::string, std::string> metadata{{kModelKey, to_json(model.description)}};
  if (!arguments.standardized) metadata[kUnitsKey] = kOriginal;
  if (arguments.probabilities) metadata[kOutputsKey] = kProbabilities;
  write_onnx(arguments.output, model.description, model.parameters, metadata);
}

KerasScale keras_scale(const ModelDescription& model, const std::string& output) {
  const DataDescription& data = model.data;
  const LossKind loss = model.config.loss.kind_for(model.config.task);
  if (loss == LossKind::gaussian || loss == LossKind::student_t) {
    throw InvalidArgument(
        fmt::format("{}: Keras weights have no place for the distribution of the loss {}: expected "
                    "--standardized, for the head's own outputs",
                    output, to_string(loss)));
  }
  KerasScale scale{.mean = of_inputs(data, data.mean), .std = of_inputs(data, data.std)};
  if (!data.window || data.mean.empty()) return scale;
  const OutputUnits units =
      head_units(output_units(data, model.config.target_size()), model.config.loss);
  scale.output_mean = units.mean;
  scale.output_std = units.std;
  return scale;
}

/// A graph does not know which series a row is of.
void expect_one_scale(const DataDescription& data, const ExportArguments& arguments) {
  if (data.series_scales.empty() || arguments.standardized) return;
  throw InvalidArgument(
      fmt::format("{}: expected --standardized, for values that the caller scales, as each of {} "
                  "series has its own mean and std",
                  arguments.output.string(), data.series_scales.size()));
}

void write_whole(const Model& model, const ExportArguments& arguments) {
  const std::filesystem::path& output = arguments.output;
  const bool is_onnx = output.extension() == ".onnx";
  if (!is_onnx && !is_keras_name(output)) {
    return save_model(output, model.description, model.parameters);
  }
  expect_one_scale(model.description.data, arguments);
  if (!arguments.standardized) tell_of_lost_digits(model.description.data, output);
  if (is_onnx) return write_graph(model, arguments);
  write_keras_file(
      output, model.description.config, model.parameters,
      arguments.standardized ? KerasScale() : keras_scale(model.description, output.string()));
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
  expect_use_of_options(description.config, arguments);
  is_tensors ? write_tensors(model, arguments, kind == ".pt") : write_whole(model, arguments);
  fmt::print(stderr, "wrote {}\n", output.string());
}

}  // namespace quadgate::apps
