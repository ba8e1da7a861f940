#include "io/model/part_finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "io/model/crf_finder.h"
#include "io/model/module_division.h"
#include "io/model/module_name.h"
#include "io/model/recurrent_finder.h"

namespace quadgate {
namespace {

constexpr std::string_view kHowToMap = "(embedding, conv, rnn, head, or none to leave it out)";

enum class Part : std::uint8_t { embedding, conv, head, in_front };

/// A module and the parts that it may be.
struct Candidate : Module {
  std::vector<Part> parts{};

  bool may_be(Part part) const { return std::ranges::find(parts, part) != parts.end(); }
};

const char* text_of(Part part) {
  switch (part) {
    case Part::embedding:
      return "an embedding";
    case Part::conv:
      return "the convolution";
    case Part::head:
      return "the head";
    case Part::in_front:
      break;
  }
  return "a layer in front of the recurrent ones, which no model here has";
}

/// Looks through one file.
class PartFinder {
 public:
  PartFinder(const TensorFile& file, const ImportChoices& choices, std::string name)
      : choices_(choices), name_(std::move(name)) {
    DividedTensors divided = divide_tensors(file, choices, name_);
    if (!divided.left_out.empty()) {
      found_.notes.push_back("left out, as told: " + some_of(divided.left_out));
    }
    for (Module& module : divided.modules) modules_.push_back({std::move(module)});
    for (const auto& [leaf, tensor] : divided.recurrent) found_.tensors["rnn." + leaf] = tensor;
    biases_ = std::move(divided.biases);
    rest_ = std::move(divided.rest);
    found_.config.rnn =
        find_recurrent(divided.recurrent, file.metadata, choices, name_, found_.notes);
    expect_choices_used();
    assign_convolution();
    assign_others();
    assign_crf();
    expect_nothing_left();
    find_tie();
  }

  FoundParts take() { return std::move(found_); }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }

  void expect_choices_used() const {
    for (const auto& [module, part] : choices_.parts) {
      const bool is_module = std::ranges::find(modules_, module, &Module::name) != modules_.end();
      if (is_module || part == "none" || part == "rnn") continue;
      std::vector<std::string> names;
      for (const Module& other : modules_) names.push_back(other.name);
      fail(fmt::format("--map {}={}: expected a module of the file, which has {}", module, part,
                       names.empty() ? "none beside the recurrent layers" : some_of(names)));
    }
  }

  /// A convolution in front decides which size an embedding has.
  void assign_convolution() {
    for (Candidate& module : modules_) {
      const bool fits =
          module.shape().size() == 3 && module.shape()[0] == found_.config.rnn.input_size;
      const std::string told = choices_.part_of(module.name);
      if (told == "conv" || (told.empty() && fits)) module.parts = {Part::conv};
    }
    assign_certain();
  }

  void assign_others() {
    for (Candidate& module : modules_) {
      const std::string told = choices_.part_of(module.name);
      if (told.empty() && bias_of_tied(*module.weight) != biases_.end()) {
        module.parts = {Part::embedding};
      } else if (told.empty()) {
        module.parts = parts_by_shape(module);
        read_name(module);
      } else {
        module.parts = {told == "head" ? Part::head : Part::embedding};
      }
    }
    assign_certain();
    if (modules_.size() == 2 && is_tied_pair()) {
      assign(1, Part::head);
      assign(0, Part::embedding);
    }
    for (const Candidate& module : modules_) {
      if (module.parts.size() > 1) ask(module);
    }
    add_tied_head();
  }

  using Entries = std::vector<DividedTensors::Entry>;

  /// The bias of a head whose weight is this table: the file has it once, as save_pretrained writes
  /// it.
  Entries::const_iterator bias_of_tied(const NamedTensor& table) const {
    if (table.shape.size() != 2 || table.shape[1] != found_.config.rnn.output_size()) {
      return biases_.end();
    }
    return std::ranges::find_if(biases_, [&](const DividedTensors::Entry& bias) {
      return bias.second->shape == std::vector{table.shape[0]};
    });
  }

  void add_tied_head() {
    const auto table = found_.tensors.find("embedding.weight");
    if (table == found_.tensors.end() || found_.config.output_size > 0) return;
    const auto bias = bias_of_tied(*table->second);
    if (bias == biases_.end()) return;
    found_.notes.push_back(fmt::format(
        "assumed: '{}' is of a head whose weight is the embedding's, as the file has no other",
        bias->first));
    found_.config.output_size = table->second->shape[0];
    found_.tensors["head.weight"] = table->second;
    found_.tensors["head.bias"] = bias->second;
    biases_.erase(bias);
  }

  std::vector<Part> parts_by_shape(const Candidate& module) const {
    const ModelConfig& config = found_.config;
    const auto shape = module.shape();
    std::vector<Part> parts;
    if (shape.size() != 2 || module.weight->values.empty()) return parts;
    if (shape[1] == config.rnn.output_size()) parts.push_back(Part::head);
    if (shape[1] == config.input_size() && module.bias == nullptr) parts.push_back(Part::embedding);
    const bool behind_conv = config.conv && shape[1] == config.conv->channels;
    if (shape[0] == config.input_size() || (behind_conv && shape[0] == config.rnn.input_size)) {
      parts.push_back(Part::in_front);
    }
    return parts;
  }

  /// Of several parts that fit, a name may tell which.
  void read_name(Candidate& module) {
    const Calling calling = calling_of(module.name);
    if (calling == Calling::embedding && module.may_be(Part::embedding)) {
      module.parts = {Part::embedding};
    }
    if (calling != Calling::head || !module.may_be(Part::head)) return;
    std::erase(module.parts, Part::embedding);
    if (!module.may_be(Part::in_front) || module.before_rnn) return;
    module.parts = {Part::head};
    if (module.name == "head") return;
    found_.notes.push_back(fmt::format(
        "assumed: {} is the head, though it would fit in front of the recurrent layers as well",
        module.text()));
  }

  /// Both bias-free, and the same numbers: each may be either.
  bool is_tied_pair() const {
    return std::ranges::all_of(modules_, [&](const Candidate& module) {
      return module.may_be(Part::embedding) && module.may_be(Part::head) &&
             module.shape()[0] == modules_[0].shape()[0] &&
             module.weight->values == modules_[0].weight->values;
    });
  }

  /// Assigns modules that can be one part only, which the others are not then.
  void assign_certain() {
    const auto is_certain = [](const Candidate& module) {
      return module.parts.size() == 1 && module.parts.front() != Part::in_front;
    };
    for (;;) {
      const auto found = std::ranges::find_if(modules_, is_certain);
      if (found == modules_.end()) return;
      const Part part = found->parts.front();
      const auto other = std::find_if(found + 1, modules_.end(), [&](const Candidate& module) {
        return is_certain(module) && module.parts.front() == part;
      });
      if (other != modules_.end()) {
        fail(fmt::format("expected one module to be {}, found {} and {}: say --map NAME=PART {}",
                         text_of(part), found->text(), other->text(), kHowToMap));
      }
      assign(static_cast<std::size_t>(found - modules_.begin()), part);
      for (Candidate& module : modules_) std::erase(module.parts, part);
    }
  }

  void assign(std::size_t number, Part part) {
    const Candidate module = modules_[number];
    modules_.erase(modules_.begin() + static_cast<std::ptrdiff_t>(number));
    const std::size_t dimensions = part == Part::conv ? 3 : 2;
    if (module.shape().size() != dimensions || module.weight->values.empty()) {
      fail(fmt::format("{}: expected numbers of {} dimensions to be {}", module.text(), dimensions,
                       text_of(part)));
    }
    const auto shape = module.shape();
    ModelConfig& config = found_.config;
    if (part == Part::embedding) {
      config.embedding.vocabulary_size = shape[0];
      found_.tensors["embedding.weight"] = module.weight;
      if (module.bias != nullptr) rest_.emplace_back(module.name + ".bias", module.bias);
      return;
    }
    if (part == Part::conv) {
      config.conv =
          ConvConfig{.input_size = shape[1], .channels = shape[0], .kernel_size = shape[2]};
    } else {
      config.output_size = shape[0];
    }
    const std::string name = part == Part::conv ? "conv" : "head";
    found_.tensors[name + ".weight"] = module.weight;
    found_.tensors[name + ".bias"] = module.bias != nullptr ? module.bias : zeros(module);
  }

  /// A conditional random field over the head's outputs.
  void assign_crf() {
    const auto crf = take_crf(rest_, found_.config.output_size);
    if (crf.empty()) return;
    found_.tensors.insert(crf.begin(), crf.end());
    found_.config.crf = true;
    found_.config.task = Task::tagging;
  }

  const NamedTensor* zeros(const Candidate& module) {
    found_.notes.push_back(fmt::format("'{}' has no bias: it gets zeros", module.name));
    const auto size = static_cast<std::size_t>(module.shape()[0]);
    const bool fits = size <= module.weight->values.size();  // a damaged file tells any size
    found_.made.push_back({.name = module.name + ".bias",
                           .shape = {module.shape()[0]},
                           .values = std::vector<float>(fits ? size : 0, 0.0F)});
    return &found_.made.back();
  }

  void find_tie() {
    const auto table = found_.tensors.find("embedding.weight");
    const auto head = found_.tensors.find("head.weight");
    if (table == found_.tensors.end() || head == found_.tensors.end()) return;
    found_.config.embedding.tie_weights = head->second->shape == table->second->shape &&
                                          head->second->values == table->second->values;
  }

  [[noreturn]] void ask(const Candidate& module) const {
    std::vector<std::string_view> parts;
    for (const Part part : module.parts) parts.emplace_back(text_of(part));
    fail(fmt::format("{} may be {}: say --map {}=PART {}", module.text(), fmt::join(parts, ", or "),
                     module.name, kHowToMap));
  }

  void expect_nothing_left() {
    std::vector<std::string> counters;
    std::vector<std::string> others;
    for (const Entries* const entries : {&rest_, &biases_}) {
      for (const auto& [name, tensor] : *entries) {
        (tensor->whole_numbers ? counters : others).push_back(name);
      }
    }
    for (const Candidate& module : modules_) {
      others.push_back(module.name + ".weight");
      if (module.bias != nullptr) others.push_back(module.name + ".bias");
    }
    if (!others.empty()) {
      fail(
          fmt::format("expected tensors of an embedding, a convolution, recurrent layers and a "
                      "head, found as well {} (--map NAME=none leaves out what the model does not "
                      "need)",
                      some_of(others)));
    }
    std::vector<std::string> weights;
    for (const auto& [name, tensor] : found_.tensors) {
      if (tensor->whole_numbers) weights.push_back(name);
    }
    if (!weights.empty()) {
      found_.notes.push_back("took whole numbers as they are for " + some_of(weights));
    }
    if (!counters.empty()) {
      found_.notes.push_back("left out, as whole numbers that are no weights: " +
                             some_of(counters));
    }
  }

  const ImportChoices& choices_;
  std::string name_;
  std::vector<Candidate> modules_;  // that are no part so far
  Entries biases_;                  // without a weight
  Entries rest_;                    // that belong to no module
  FoundParts found_;
};

}  // namespace

FoundParts find_parts(const TensorFile& file, const ImportChoices& choices,
                      const std::string& name) {
  return PartFinder(file, choices, name).take();
}

}  // namespace quadgate
