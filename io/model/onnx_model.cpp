#include "io/model/onnx_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/graph/graph_file.h"
#include "io/graph/read_graph.h"
#include "io/model/json_attributes.h"
#include "io/model/onnx_writer.h"

namespace quadgate {
namespace {

/// Empty unless write_onnx writes the same bytes again of the model that the file describes.
std::optional<TensorFile> read_own(graph::GraphFile& file, std::span<const std::byte> bytes,
                                   const std::string& name) {
  try {
    TensorFile own = graph::read_own_graph(file);
    const Model model = model_of(own, name);
    const auto again = to_onnx(model.description, model.parameters, own.metadata);
    if (std::ranges::equal(again, bytes)) return own;
  } catch (const Error&) {
    // It is another graph by now, and read as such.
  }
  return {};
}

/// Features, tokens and classes are called "0", "1", ...
ModelDescription describe_numbered(const ModelConfig& config) {
  ModelDescription description{.config = config, .data = {}};
  const auto add = [](std::int64_t count, std::vector<std::string>& names) {
    for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  };
  add(config.output_size, description.data.class_names);
  add(config.embedding.vocabulary_size, description.data.token_names);
  if (!config.has_embedding()) add(config.input_size(), description.data.feature_names);
  return description;
}

/// A head at every step, or one of the pooled steps, is what the graph has: no choice changes it.
void expect_task(const ModelConfig& config, const ImportChoices& choices, const std::string& name) {
  const bool is_chosen_at_each = choices.task == "tagging" || choices.task == "language_model";
  if (!choices.parts.empty() || choices.nonlinearity || choices.pooling) {
    throw InvalidArgument(fmt::format(
        "{}: --map, --nonlinearity, --pooling: expected none, as an ONNX graph tells it", name));
  }
  if (!choices.task.empty() && config.output_size > 0 &&
      is_chosen_at_each != (config.task == Task::tagging)) {
    throw InvalidArgument(fmt::format(
        "{}: --task: expected {}, as the graph has a head {}, found {}", name,
        config.task == Task::tagging ? "tagging or language_model" : "classification or regression",
        config.task == Task::tagging ? "at every step" : "of each sequence", choices.task));
  }
}

}  // namespace

Model read_onnx(std::span<const std::byte> bytes, const std::string& name,
                const std::filesystem::path& folder, const ImportChoices& choices) {
  TensorFile tensors;
  try {
    graph::GraphFile file(bytes, folder);
    if (file.metadata().contains(kModelKey)) {
      if (const auto own = read_own(file, bytes, name)) return model_of(*own, name, choices);
      tensors.notes.emplace_back(
          "the graph is not as quadgate wrote it: its names and task are left out");
    }
    graph::GraphModel found = graph::read_graph(file);
    expect_task(found.config, choices, name);
    if (found.config.output_size > 0 && choices.task.empty()) {
      found.notes.push_back(fmt::format("assumed, as a graph does not tell it: {} (--task)",
                                        to_string(found.config.task)));
    }
    tensors.tensors = std::move(found.tensors);
    tensors.metadata[kModelKey] = to_json(describe_numbered(found.config));
    tensors.notes.insert(tensors.notes.end(), found.notes.begin(), found.notes.end());
  } catch (const FileError& error) {
    throw FileError(fmt::format("{}: {}", name, error.what()));
  }
  return model_of(tensors, name, choices);
}

}  // namespace quadgate
