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
#include "io/model/json_attributes.h"

namespace quadgate {
namespace {

constexpr std::string_view kRnn = "rnn.";
constexpr std::string_view kFirstWeight = "weight_ih_l0";

/// Tensors by the names that they have in checkpoints.
using Named = std::map<std::string, const NamedTensor*>;

/// Finds out what model the tensors of a file are.
class Finder {
 public:
  Finder(const TensorFile& file, std::string name) : file_(file), name_(std::move(name)) {}

  /// What it is, and its tensors.
  std::pair<ModelDescription, Named> run() {
    const std::string prefix = find_prefix();
    for (const NamedTensor& tensor : file_.tensors) {
      if (tensor.name.starts_with(prefix) && is_recurrent(tensor.name.substr(prefix.size()))) {
        found_[std::string(kRnn) + tensor.name.substr(prefix.size())] = &tensor;
      } else {
        rest_.push_back(&tensor);
      }
    }
    find_recurrent();
    find_head();
    find_convolution();
    find_embedding();
    if (!rest_.empty()) {
      std::vector<std::string> names;
      for (const NamedTensor* tensor : rest_) names.push_back("'" + tensor->name + "'");
      fail(fmt::format(
          "expected tensors of an embedding, a convolution, recurrent layers and a head, "
          "found as well {}",
          fmt::join(names, ", ")));
    }
    add_names(config_.output_size, description_.data.class_names);
    add_names(config_.embedding.vocabulary_size, description_.data.token_names);
    if (!config_.has_embedding()) {
      add_names(config_.input_size(), description_.data.feature_names);
    }
    return {description_, found_};
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }

  static bool is_recurrent(std::string_view name) {
    return name.starts_with("weight_ih_l") || name.starts_with("weight_hh_l") ||
           name.starts_with("weight_hr_l") || name.starts_with("bias_ih_l") ||
           name.starts_with("bias_hh_l");
  }

  std::string find_prefix() const {
    std::vector<std::string> prefixes;
    for (const NamedTensor& tensor : file_.tensors) {
      if (tensor.name.ends_with(kFirstWeight)) {
        prefixes.push_back(tensor.name.substr(0, tensor.name.size() - kFirstWeight.size()));
      }
    }
    if (prefixes.size() != 1) {
      fail(fmt::format("expected one tensor '{}', with any name before it, found {}", kFirstWeight,
                       prefixes.size()));
    }
    return prefixes.front();
  }

  /// A tensor of the recurrent layers, which has two dimensions.
  const NamedTensor& weight(const std::string& name) const {
    const auto found = found_.find(std::string(kRnn) + name);
    if (found == found_.end()) fail(fmt::format("tensor '{}': missing", name));
    if (found->second->shape.size() != 2) {
      fail(fmt::format("tensor '{}': expected 2 dimensions, found {}", name,
                       found->second->shape.size()));
    }
    return *found->second;
  }
  bool has(const std::string& name) const { return found_.contains(std::string(kRnn) + name); }

  void find_recurrent() {
    RecurrentConfig& rnn = config_.rnn;
    const NamedTensor& ih = weight("weight_ih_l0");
    const NamedTensor& hh = weight("weight_hh_l0");
    rnn.input_size = ih.shape[1];
    rnn.hidden_size = hh.shape[1];
    if (has("weight_hr_l0")) {
      rnn.proj_size = weight("weight_hr_l0").shape[0];
      rnn.hidden_size = weight("weight_hr_l0").shape[1];
    }
    rnn.bidirectional = has("weight_ih_l0_reverse");
    rnn.bias = has("bias_ih_l0");
    while (has(fmt::format("weight_ih_l{}", rnn.num_layers))) ++rnn.num_layers;
    rnn.cell = find_cell(ih.shape[0]);
  }

  Cell find_cell(std::int64_t rows) const {
    const std::int64_t hidden_size = config_.rnn.hidden_size;
    const auto named = file_.metadata.find(kCellKey);
    const auto known = named == file_.metadata.end() ? std::nullopt : parse_cell(named->second);
    for (const Cell cell : {known.value_or(Cell::lstm), Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
      if (hidden_size > 0 && rows == num_gates(cell) * hidden_size) return cell;
    }
    fail(fmt::format("tensor 'weight_ih_l0': expected 4, 3 or 1 gates of {} units, found {} rows",
                     hidden_size, rows));
  }

  /// Takes the tensors NAME.weight and, if there shall be one, NAME.bias whose weight fits out of
  /// the rest; fails if there are several.
  template <typename Fits>
  const NamedTensor* take(const std::string& name, bool has_bias, Fits fits) {
    std::vector<std::pair<const NamedTensor*, const NamedTensor*>> found;
    for (const NamedTensor* weight : rest_) {
      if (!weight->name.ends_with("weight") || !fits(*weight)) continue;
      const NamedTensor* const bias = bias_of(*weight);
      if ((bias != nullptr) == has_bias) found.emplace_back(weight, bias);
    }
    if (found.empty()) return nullptr;
    if (found.size() > 1) {
      fail(fmt::format("expected one {}, found '{}' and '{}'", name, found[0].first->name,
                       found[1].first->name));
    }
    const auto [weight, bias] = found.front();
    found_[name + ".weight"] = weight;
    std::erase(rest_, weight);
    if (has_bias) found_[name + ".bias"] = bias;
    if (has_bias) std::erase(rest_, bias);
    return weight;
  }

  const NamedTensor* bias_of(const NamedTensor& weight) const {
    constexpr std::string_view kWeight = "weight";
    const std::string name = weight.name.substr(0, weight.name.size() - kWeight.size()) + "bias";
    const auto found = std::ranges::find(rest_, name, &NamedTensor::name);
    return found == rest_.end() ? nullptr : *found;
  }

  void find_head() {
    const NamedTensor* const head = take("head", true, [&](const NamedTensor& weight) {
      return weight.shape.size() == 2 && weight.shape[1] == config_.rnn.output_size();
    });
    if (head != nullptr) config_.output_size = head->shape[0];
  }

  void find_convolution() {
    const NamedTensor* const conv = take("conv", true, [&](const NamedTensor& weight) {
      return weight.shape.size() == 3 && weight.shape[0] == config_.rnn.input_size;
    });
    if (conv == nullptr) return;
    config_.conv = ConvConfig{
        .input_size = conv->shape[1], .channels = conv->shape[0], .kernel_size = conv->shape[2]};
  }

  void find_embedding() {
    const NamedTensor* const table = take("embedding", false, [&](const NamedTensor& weight) {
      return weight.shape.size() == 2 && weight.shape[1] == config_.input_size();
    });
    if (table == nullptr) return;
    config_.embedding.vocabulary_size = table->shape[0];
    const auto head = found_.find("head.weight");
    config_.embedding.tie_weights = head != found_.end() && head->second->shape == table->shape &&
                                    head->second->values == table->values;
  }

  static void add_names(std::int64_t count, std::vector<std::string>& names) {
    for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  }

  const TensorFile& file_;
  std::string name_;
  ModelDescription description_;
  ModelConfig& config_ = description_.config;
  Named found_;
  std::vector<const NamedTensor*> rest_;  // that are none of the recurrent layers'
};

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
      problems.push_back(fmt::format("'{}' expected finite numbers, found others", slice.name));
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

Model model_of(const TensorFile& file, const std::string& name) {
  ModelDescription description;
  Named tensors;
  if (const auto known = file.metadata.find(kModelKey); known != file.metadata.end()) {
    description = model_from_json(known->second, name);
    for (const NamedTensor& tensor : file.tensors) tensors[tensor.name] = &tensor;
  } else {
    std::tie(description, tensors) = Finder(file, name).run();
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
  Model model{description, Parameters(description.config)};
  fill(model.parameters, std::move(tensors), name);
  return model;
}

}  // namespace quadgate
