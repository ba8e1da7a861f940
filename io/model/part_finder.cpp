#include "io/model/part_finder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "io/model/module_name.h"

namespace quadgate {
namespace {

constexpr std::string_view kFirstWeight = "weight_ih_l0";
constexpr std::string_view kHowToMap = "(embedding, conv, rnn, head, or none to leave it out)";

/// Some of several names, for a message.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::ptrdiff_t kShown = 6;
  const auto end = names.begin() + std::min(std::ssize(names), kShown);
  return fmt::format("'{}'{}", fmt::join(names.begin(), end, "', '"),
                     end == names.end() ? "" : fmt::format(" and {} more", names.end() - end));
}

/// Tensors NAME.weight and NAME.bias.
struct Module {
  enum class Part : std::uint8_t { embedding, conv, head, in_front };

  std::string name;
  const NamedTensor* weight = nullptr;
  const NamedTensor* bias = nullptr;
  bool before_rnn = false;    ///< as its program made them
  std::vector<Part> parts{};  ///< that it may be

  std::span<const std::int64_t> shape() const noexcept { return weight->shape; }
  bool may_be(Part part) const { return std::ranges::find(parts, part) != parts.end(); }
  std::string text() const {
    return fmt::format("'{}' [{}]", name, fmt::join(weight->shape, ", "));
  }
};

using Part = Module::Part;

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
      : file_(file), choices_(choices), name_(std::move(name)) {
    name_tensors();
    leave_out_chosen();
    prefix_ = find_prefix();
    find_modules();
    find_recurrent();
    expect_choices_used();
    assign_convolution();
    assign_others();
    expect_nothing_left();
    find_tie();
  }

  FoundParts take() { return std::move(found_); }

 private:
  using Entry = std::pair<std::string, const NamedTensor*>;

  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }

  /// Drops what wrappers put in front of all names: DistributedDataParallel and AveragedModel,
  /// torch.compile, Lightning.
  void name_tensors() {
    for (const NamedTensor& tensor : file_.tensors) entries_.emplace_back(tensor.name, &tensor);
    const auto all_begin_with = [&](std::string_view prefix) {
      return !entries_.empty() && std::ranges::all_of(entries_, [&](const Entry& entry) {
        return entry.first.starts_with(prefix) || entry.second->whole_numbers;
      });
    };
    constexpr std::array<std::string_view, 3> kWrappers{"module.", "model.", "_orig_mod."};
    for (bool is_wrapped = true; is_wrapped;) {
      const auto* const wrapper = std::ranges::find_if(kWrappers, all_begin_with);
      is_wrapped = wrapper != kWrappers.end() && has_such_names(*wrapper);
      for (Entry& entry : entries_) {
        if (is_wrapped && entry.first.starts_with(*wrapper)) entry.first.erase(0, wrapper->size());
      }
    }
  }
  bool has_such_names(std::string_view prefix) const {
    return std::ranges::any_of(entries_,
                               [&](const Entry& entry) { return entry.first.starts_with(prefix); });
  }

  static std::string module_of(const std::string& tensor) {
    const std::size_t dot = tensor.rfind('.');
    return dot == std::string::npos ? "" : tensor.substr(0, dot);
  }

  /// What the user says that a module is, or "".
  std::string chosen(const std::string& module) const {
    const auto found = choices_.parts.find(module);
    return found == choices_.parts.end() ? "" : found->second;
  }

  void leave_out_chosen() {
    std::vector<std::string> left_out;
    std::erase_if(entries_, [&](const Entry& entry) {
      const bool out = chosen(module_of(entry.first)) == "none" || chosen(entry.first) == "none";
      if (out) left_out.push_back(entry.first);
      return out;
    });
    if (!left_out.empty()) found_.notes.push_back("left out, as told: " + some_of(left_out));
  }

  std::string find_prefix() const {
    std::vector<std::string> prefixes;
    std::vector<std::string> names;
    for (const auto& [tensor_name, tensor] : entries_) {
      if (!tensor_name.ends_with(kFirstWeight)) continue;
      names.push_back(tensor_name);
      prefixes.push_back(tensor_name.substr(0, tensor_name.size() - kFirstWeight.size()));
      if (chosen(module_of(tensor_name)) == "rnn") return prefixes.back();
    }
    if (prefixes.size() == 1) return prefixes.front();
    fail(fmt::format("expected one tensor '{}', with any name before it, found {}", kFirstWeight,
                     names.empty() ? "none" : some_of(names)));
  }

  static bool is_recurrent(std::string_view name) {
    return name.starts_with("weight_ih_l") || name.starts_with("weight_hh_l") ||
           name.starts_with("weight_hr_l") || name.starts_with("bias_ih_l") ||
           name.starts_with("bias_hh_l");
  }

  /// Divides the tensors into those of the recurrent layers, modules and the rest.
  void find_modules() {
    std::map<std::string, Module> modules;
    std::vector<std::string> order;
    for (const auto& [name, tensor] : entries_) {
      if (name.starts_with(prefix_) && is_recurrent(name.substr(prefix_.size()))) {
        found_.tensors["rnn." + name.substr(prefix_.size())] = tensor;
        continue;
      }
      const std::string module = module_of(name);
      const std::string_view leaf =
          std::string_view(name).substr(module.empty() ? 0 : module.size() + 1);
      if (module.empty() || (leaf != "weight" && leaf != "bias")) {
        rest_.emplace_back(name, tensor);
        continue;
      }
      const auto [found, is_new] = modules.try_emplace(module);
      if (is_new) {
        order.push_back(module);
        found->second.name = module;
        found->second.before_rnn = file_.in_order && found_.tensors.empty();
      }
      (leaf == "weight" ? found->second.weight : found->second.bias) = tensor;
    }
    for (const std::string& module : order) {
      Module& found = modules.at(module);
      if (found.weight != nullptr) {
        modules_.push_back(std::move(found));
      } else {
        rest_.emplace_back(module + ".bias", found.bias);
      }
    }
  }

  /// A tensor of the recurrent layers, which has two dimensions.
  const NamedTensor& weight(const std::string& name) const {
    const auto found = found_.tensors.find("rnn." + name);
    if (found == found_.tensors.end()) fail(fmt::format("tensor '{}': missing", name));
    if (found->second->shape.size() != 2) {
      fail(fmt::format("tensor '{}': expected 2 dimensions, found {}", name,
                       found->second->shape.size()));
    }
    return *found->second;
  }
  bool has(const std::string& name) const { return found_.tensors.contains("rnn." + name); }

  void find_recurrent() {
    RecurrentConfig& rnn = found_.config.rnn;
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

  Cell find_cell(std::int64_t rows) {
    const std::int64_t hidden_size = found_.config.rnn.hidden_size;
    const auto fits = [&](Cell cell) {
      return hidden_size > 0 && rows == num_gates(cell) * hidden_size;
    };
    if (choices_.nonlinearity && fits(*choices_.nonlinearity)) return *choices_.nonlinearity;
    if (choices_.nonlinearity) {
      fail("--nonlinearity: expected a plain RNN, found a cell with gates");
    }
    if (const auto told = file_.metadata.find(kCellKey); told != file_.metadata.end()) {
      const auto cell = parse_cell(told->second);
      if (cell && fits(*cell)) return *cell;
    }
    for (const Cell cell : {Cell::lstm, Cell::gru}) {
      if (fits(cell)) return cell;
    }
    if (!fits(Cell::rnn_tanh)) {
      fail(fmt::format("tensor 'weight_ih_l0': expected 4, 3 or 1 gates of {} units, found {} rows",
                       hidden_size, rows));
    }
    found_.notes.emplace_back(
        "assumed, as weights do not tell it: nonlinearity tanh of the RNN (--nonlinearity relu)");
    return Cell::rnn_tanh;
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
    for (Module& module : modules_) {
      const bool fits =
          module.shape().size() == 3 && module.shape()[0] == found_.config.rnn.input_size;
      const std::string told = chosen(module.name);
      if (told == "conv" || (told.empty() && fits)) module.parts = {Part::conv};
    }
    assign_certain();
  }

  void assign_others() {
    for (Module& module : modules_) {
      const std::string told = chosen(module.name);
      if (told.empty()) {
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
    for (const Module& module : modules_) {
      if (module.parts.size() > 1) ask(module);
    }
  }

  std::vector<Part> parts_by_shape(const Module& module) const {
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
  void read_name(Module& module) {
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
    return std::ranges::all_of(modules_, [&](const Module& module) {
      return module.may_be(Part::embedding) && module.may_be(Part::head) &&
             module.shape()[0] == modules_[0].shape()[0] &&
             module.weight->values == modules_[0].weight->values;
    });
  }

  /// Assigns modules that can be one part only, which the others are not then.
  void assign_certain() {
    const auto is_certain = [](const Module& module) {
      return module.parts.size() == 1 && module.parts.front() != Part::in_front;
    };
    for (;;) {
      const auto found = std::ranges::find_if(modules_, is_certain);
      if (found == modules_.end()) return;
      const Part part = found->parts.front();
      const auto other = std::find_if(found + 1, modules_.end(), [&](const Module& module) {
        return is_certain(module) && module.parts.front() == part;
      });
      if (other != modules_.end()) {
        fail(fmt::format("expected one module to be {}, found {} and {}: say --map NAME=PART {}",
                         text_of(part), found->text(), other->text(), kHowToMap));
      }
      assign(static_cast<std::size_t>(found - modules_.begin()), part);
      for (Module& module : modules_) std::erase(module.parts, part);
    }
  }

  void assign(std::size_t number, Part part) {
    const Module module = modules_[number];
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

  const NamedTensor* zeros(const Module& module) {
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

  [[noreturn]] void ask(const Module& module) const {
    std::vector<std::string_view> parts;
    for (const Part part : module.parts) parts.emplace_back(text_of(part));
    fail(fmt::format("{} may be {}: say --map {}=PART {}", module.text(), fmt::join(parts, ", or "),
                     module.name, kHowToMap));
  }

  void expect_nothing_left() {
    std::vector<std::string> counters;
    std::vector<std::string> others;
    for (const auto& [name, tensor] : rest_) {
      (tensor->whole_numbers ? counters : others).push_back(name);
    }
    for (const Module& module : modules_) {
      others.push_back(module.name + ".weight");
      if (module.bias != nullptr) others.push_back(module.name + ".bias");
    }
    if (!others.empty()) {
      fail(
          fmt::format("expected tensors of an embedding, a convolution, recurrent layers and a "
                      "head, found as well {}",
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

  const TensorFile& file_;
  const ImportChoices& choices_;
  std::string name_;
  std::string prefix_;           // of the recurrent layers' names
  std::vector<Entry> entries_;   // by name, without what wrappers put in front
  std::vector<Module> modules_;  // that are no part so far
  std::vector<Entry> rest_;      // that belong to no module
  FoundParts found_;
};

}  // namespace

FoundParts find_parts(const TensorFile& file, const ImportChoices& choices,
                      const std::string& name) {
  return PartFinder(file, choices, name).take();
}

}  // namespace quadgate
