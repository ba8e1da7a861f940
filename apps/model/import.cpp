#include "apps/model/import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/model/name_file.h"
#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "io/model/known_data.h"
#include "io/model/model_tensors.h"
#include "io/model/onnx_model.h"
#include "io/model/state_dict.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/torch_file.h"

namespace quadgate::apps {
namespace {

/// Keras's reader takes the parts out of the choices.
TensorFile read_keras(const std::filesystem::path& path, ImportChoices& choices) {
  return read_keras_file(path, std::exchange(choices.parts, {}));
}

TensorFile read_tensors(const std::filesystem::path& path, ImportChoices& choices) {
  const std::string kind = path.extension().string();
  const std::string name = path.string();
  if (kind == ".keras") return read_keras(path, choices);
  if (kind == ".h5") {
    auto state_dict = read_state_dict(path);
    return state_dict ? std::move(*state_dict) : read_keras(path, choices);
  }
  if (std::ranges::find(kTorchKinds, kind) != kTorchKinds.end()) {
    return parse_torch_file(read_bytes(path), name);
  }
  if (kind == ".safetensors") return parse_safetensors(read_bytes(path), name);
  throw InvalidArgument(
      fmt::format("{}: expected a name that ends in {}, .safetensors, .onnx, .keras or .h5", name,
                  fmt::join(kTorchKinds, ", ")));
}

Model read_model(const std::filesystem::path& path, ImportChoices choices) {
  if (path.extension() == ".onnx") {
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    return read_onnx(read_bytes(path), path.string(), folder, choices);
  }
  const TensorFile file = read_tensors(path, choices);
  return model_of(file, path.string(), choices);
}

constexpr std::string_view kForecast = "forecast";

/// What `known` tells is chosen.
void choose_like(const KnownData& known, ImportChoices& choices) {
  choices.task = known.task == kForecast ? to_string(Task::regression) : known.task;
  choices.vocabulary = known.data.token_names;
  if (known.task != "language_model") choices.classes = known.data.class_names;
}

/// The model is for such data. Throws InvalidArgument, naming both files, if it cannot be.
void describe_like(const KnownData& known, const std::filesystem::path& input,
                   ModelDescription& model) {
  const auto expect = [&](std::string_view what, auto ours, auto theirs) {
    if (ours == theirs) return;
    throw InvalidArgument(fmt::format("{}: the model has {} {}, the data of {} have {}",
                                      input.string(), ours, what, known.path.string(), theirs));
  };
  const ModelConfig& config = model.config;
  DataDescription data = known.data;
  expect("tokens", config.embedding.vocabulary_size, std::ssize(data.token_names));
  if (!data.mean.empty()) {
    expect("features", std::ssize(model.data.feature_names), std::ssize(data.mean));
  }
  if (data.feature_names.empty()) data.feature_names = model.data.feature_names;
  expect("features", std::ssize(model.data.feature_names), std::ssize(data.feature_names));
  if (known.task == kForecast) {
    if (!data.window) {
      throw InvalidArgument(
          fmt::format("{}: expected a checkpoint, as a data set does not tell the window of a "
                      "forecast; [model] init needs no --like",
                      known.path.string()));
    }
    expect("outputs", config.output_size, data.window->horizon * std::ssize(data.window->targets));
  }
  if (data.class_names.empty()) data.class_names = model.data.class_names;
  data.streams = model.data.streams;
  model.data = std::move(data);
}

}  // namespace

void import_model(const ImportArguments& arguments) {
  if (arguments.output.extension() != ".h5") {
    throw InvalidArgument(fmt::format("--output: expected a name in .h5, of a checkpoint, found {}",
                                      arguments.output.string()));
  }
  expect_no_input(arguments.output, std::span(&arguments.input, 1));
  if (!arguments.like.empty()) expect_no_input(arguments.output, std::span(&arguments.like, 1));
  if (!arguments.force) expect_same_format(arguments.output, kCheckpointFormat);
  ImportChoices choices = arguments.choices;
  choices.vocabulary = read_names(arguments.vocabulary);
  choices.classes = read_names(arguments.classes);
  std::optional<KnownData> known;
  if (!arguments.like.empty()) {
    known = read_known_data(arguments.like);
    choose_like(*known, choices);
  }
  Model model = read_model(arguments.input, std::move(choices));
  if (known) describe_like(*known, arguments.input, model.description);
  save_model(arguments.output, model.description, model.parameters);
  for (const std::string& note : model.notes) {
    fmt::print(stderr, "{}: {}\n", arguments.input.string(), note);
  }
  const ModelConfig& config = model.description.config;
  const RecurrentConfig& rnn = config.rnn;
  fmt::print(stderr, "wrote {}: {} {} -> {} x {}{} -> {}\n", arguments.output.string(),
             to_string(rnn.cell), config.input_size(), rnn.num_layers, rnn.hidden_size,
             rnn.bidirectional ? " x 2" : "",
             config.output_size > 0 ? std::to_string(config.output_size) : "no head");
}

}  // namespace quadgate::apps
