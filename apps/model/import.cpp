#include "apps/model/import.h"

#include <fmt/format.h>

#include <utility>

#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "io/model/model_tensors.h"
#include "io/model/state_dict.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/onnx_reader.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/torch_file.h"

namespace quadgate::apps {
namespace {

TensorFile read_tensors(const std::filesystem::path& path) {
  const std::string kind = path.extension().string();
  const std::string name = path.string();
  if (kind == ".h5") {
    auto state_dict = read_state_dict(path);
    return state_dict ? std::move(*state_dict) : read_keras_file(path);
  }
  if (kind == ".pt" || kind == ".pth") return parse_torch_file(read_bytes(path), name);
  if (kind == ".safetensors") return parse_safetensors(read_bytes(path), name);
  if (kind == ".onnx") {
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    return parse_onnx(read_bytes(path), name, folder);
  }
  throw InvalidArgument(
      fmt::format("{}: expected a name that ends in .pt, .pth, .safetensors, .onnx or .h5", name));
}

}  // namespace

void import_model(const ImportArguments& arguments) {
  const TensorFile file = read_tensors(arguments.input);
  const Model model = model_of(file, arguments.input.string());
  save_model(arguments.output, model.description, model.parameters);
  const ModelConfig& config = model.description.config;
  const RecurrentConfig& rnn = config.rnn;
  fmt::print(stderr, "wrote {}: {} {} -> {} x {}{} -> {}\n", arguments.output.string(),
             to_string(rnn.cell), config.input_size(), rnn.num_layers, rnn.hidden_size,
             rnn.bidirectional ? " x 2" : "",
             config.output_size > 0 ? std::to_string(config.output_size) : "no head");
}

}  // namespace quadgate::apps
