#include "io/model/model_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/files/finite.h"
#include "io/model/import_description.h"
#include "io/model/json_attributes.h"
#include "io/model/part_finder.h"

namespace quadgate {
namespace {

constexpr std::string_view kRnn = "rnn.";
/// Tensors by the names that they have in checkpoints.
using Named = std::map<std::string, const NamedTensor*>;

/// Fills the parameters; throws unless the tensors are exactly theirs.
void fill(Parameters& parameters, Named tensors, const std::string& name) {
  std::vector<std::string> problems;
  if (const auto head = tensors.find("head.weight"); parameters.tied() && head != tensors.end()) {
    const auto table = tensors.find("embedding.weight");
    if (table != tensors.end() && head->second->values != table->second->values) {
      problems.emplace_back("'head.weight' expected the values of embedding.weight");
    }
    tensors.erase(head);
  }
  ParameterEditor editor = parameters.edit();
  for (const ParameterSlice& slice : parameters.slices()) {
    const auto found = tensors.find(slice.name);
    if (found == tensors.end()) {
      problems.push_back(fmt::format("missing '{}'", slice.name));
      continue;
    }
    if (find_not_finite(found->second->values) >= 0) {
      problems.push_back(
          fmt::format("'{}' expected finite numbers, found others", found->second->name));
    }
    if (found->second->shape != slice.shape) {
      problems.push_back(fmt::format("'{}' expected [{}], found [{}]", slice.name,
                                     fmt::join(slice.shape, ", "),
                                     fmt::join(found->second->shape, ", ")));
    } else {
      std::ranges::copy(found->second->values, editor.value(slice).begin());
    }
    tensors.erase(found);
  }
  for (const auto& [other, tensor] : tensors) {
    problems.push_back(fmt::format("unexpected '{}'", other));
  }
  if (!problems.empty()) throw FileError(fmt::format("{}: {}", name, fmt::join(problems, "; ")));
}

}  // namespace

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
  if (only_rnn) return file;
  if (model.parameters.tied()) add("head.weight", model.parameters.embedding_weight());
  file.metadata[kModelKey] = to_json(model.description);
  return file;
}

Model model_of(const TensorFile& file, const std::string& name, const ImportChoices& choices) {
  FoundParts found;
  ModelDescription description;
  if (const auto known = file.metadata.find(kModelKey); known != file.metadata.end()) {
    description = model_from_json(known->second, name);
    for (const NamedTensor& tensor : file.tensors) found.tensors[tensor.name] = &tensor;
    if (!choices.parts.empty() || choices.nonlinearity || choices.pooling) {
      throw InvalidArgument(fmt::format(
          "{}: --map, --nonlinearity, --pooling: expected a file that does not tell it, found one "
          "of quadgate's",
          name));
    }
    describe_as_chosen(description, choices, name);
  } else {
    found = find_parts(file, choices, name);
    description = describe(found, file.metadata, choices, name);
  }
  try {
    description.config.output_size == 0 ? validate(description.config.rnn)
                                        : validate(description.config);
  } catch (const InvalidArgument& error) {
    throw FileError(fmt::format("{}: {}", name, error.what()));
  }
  std::int64_t numbers = 0;
  for (const NamedTensor& tensor : file.tensors) numbers += std::ssize(tensor.values);
  expect_weights(description.config, numbers, name);
  Model model{description, Parameters(description.config), file.notes};
  fill(model.parameters, std::move(found.tensors), name);
  model.notes.insert(model.notes.end(), found.notes.begin(), found.notes.end());
  return model;
}

}  // namespace quadgate
