#include "apps/model/import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/model/name_file.h"
#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "io/model/model_tensors.h"
#include "io/model/onnx_model.h"
#include "io/model/state_dict.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/torch_file.h"

namespace quadgate::apps {
namespace {

/// As in pytorch_model.bin and checkpoint.pth.tar, which are what the others are.
constexpr std::array<std::string_view, 5> kTorchKinds{".pt", ".pth", ".ckpt", ".bin", ".tar"};

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

}  // namespace

void import_model(const ImportArguments& arguments) {
  expect_no_input(arguments.output, std::span(&arguments.input, 1));
  if (!arguments.force) expect_same_format(arguments.output, kCheckpointFormat);
  ImportChoices choices = arguments.choices;
  choices.vocabulary = read_names(arguments.vocabulary);
  choices.classes = read_names(arguments.classes);
  const Model model = read_model(arguments.input, std::move(choices));
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
