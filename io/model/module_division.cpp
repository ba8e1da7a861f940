#include "io/model/module_division.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::string_view kFirstWeight = "weight_ih_l0";

/// Divides the tensors of one file.
class Divider {
 public:
  Divider(const TensorFile& file, const ImportChoices& choices, std::string name)
      : file_(file), choices_(choices), name_(std::move(name)) {}

  DividedTensors run() {
    name_tensors();
    leave_out_chosen();
    prefix_ = find_prefix();
    divide();
    return std::move(result_);
  }

 private:
  using Entry = DividedTensors::Entry;

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

  void leave_out_chosen() {
    std::erase_if(entries_, [&](const Entry& entry) {
      // The tensor, its module or one around that.
      std::string name = entry.first;
      while (!name.empty() && choices_.part_of(name) != "none") name = module_of(name);
      if (!name.empty()) result_.left_out.push_back(entry.first);
      return !name.empty();
    });
  }

  std::string find_prefix() const {
    std::vector<std::string> prefixes;
    std::vector<std::string> names;
    for (const auto& [tensor_name, tensor] : entries_) {
      if (!tensor_name.ends_with(kFirstWeight)) continue;
      names.push_back(tensor_name);
      prefixes.push_back(tensor_name.substr(0, tensor_name.size() - kFirstWeight.size()));
      if (choices_.part_of(module_of(tensor_name)) == "rnn") return prefixes.back();
    }
    if (prefixes.size() == 1) return prefixes.front();
    fail(
        fmt::format("expected one tensor '{}', with any name before it, found {}", kFirstWeight,
                    names.empty() ? "none" : some_of(names) + " (--map NAME=none leaves one out)"));
  }

  static bool is_recurrent(std::string_view name) {
    return name.starts_with("weight_ih_l") || name.starts_with("weight_hh_l") ||
           name.starts_with("weight_hr_l") || name.starts_with("bias_ih_l") ||
           name.starts_with("bias_hh_l");
  }

  /// Divides the tensors into those of the recurrent layers, modules and the rest.
  void divide() {
    std::map<std::string, Module> modules;
    std::vector<std::string> order;
    for (const auto& [name, tensor] : entries_) {
      if (name.starts_with(prefix_) && is_recurrent(name.substr(prefix_.size()))) {
        result_.recurrent[name.substr(prefix_.size())] = tensor;
        continue;
      }
      const std::string module = module_of(name);
      const std::string_view leaf =
          std::string_view(name).substr(module.empty() ? 0 : module.size() + 1);
      if (module.empty() || (leaf != "weight" && leaf != "bias")) {
        result_.rest.emplace_back(name, tensor);
        continue;
      }
      const auto [found, is_new] = modules.try_emplace(module);
      if (is_new) {
        order.push_back(module);
        found->second.name = module;
        found->second.before_rnn = file_.in_order && result_.recurrent.empty();
      }
      (leaf == "weight" ? found->second.weight : found->second.bias) = tensor;
    }
    for (const std::string& module : order) {
      Module& found = modules.at(module);
      if (found.weight != nullptr) {
        result_.modules.push_back(std::move(found));
      } else {
        result_.biases.emplace_back(module + ".bias", found.bias);
      }
    }
  }

  const TensorFile& file_;
  const ImportChoices& choices_;
  std::string name_;
  std::string prefix_;          // of the recurrent layers' names
  std::vector<Entry> entries_;  // by name, without what wrappers put in front
  DividedTensors result_;
};

}  // namespace

std::string Module::text() const {
  return fmt::format("'{}' [{}]", name, fmt::join(weight->shape, ", "));
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::ptrdiff_t kShown = 6;
  const auto end = names.begin() + std::min(std::ssize(names), kShown);
  return fmt::format("'{}'{}", fmt::join(names.begin(), end, "', '"),
                     end == names.end() ? "" : fmt::format(" and {} more", names.end() - end));
}

DividedTensors divide_tensors(const TensorFile& file, const ImportChoices& choices,
                              const std::string& name) {
  return Divider(file, choices, name).run();
}

}  // namespace quadgate
