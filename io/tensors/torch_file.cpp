#include "io/tensors/torch_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "io/tensors/pickle.h"
#include "io/tensors/torch_names.h"
#include "io/tensors/torch_pickle.h"
#include "io/tensors/torch_tensors.h"
#include "io/tensors/zip.h"

namespace quadgate {
namespace {

/// Reads one file.
class TorchParser {
 public:
  TorchParser(std::span<const std::byte> bytes, const std::string& name)
      : name_(name),
        zip_(bytes, name),
        prefix_(find_prefix()),
        pickle_(parse_pickle(zip_.read(prefix_ + std::string(torch_names::kData)), name)),
        tensors_(name, zip_, prefix_, pickle_, bytes.size()) {
    const std::string order = prefix_ + "byteorder";
    if (zip_.has(order) && text_of(order) != "little") {
      fail(fmt::format("byteorder: expected little, found '{}'", text_of(order)));
    }
  }

  TensorFile run() {
    file_.in_order = true;
    const auto entries = pickle_.entries_of(pickle_.root());
    if (!entries) fail_without_dict();
    add_tensors(state_dict_in(*entries));
    const std::string extra = prefix_ + std::string(torch_names::kExtra);
    for (const std::string& member : zip_.names()) {
      if (member.starts_with(extra)) file_.metadata[member.substr(extra.size())] = text_of(member);
    }
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }
  [[noreturn]] void fail(const std::string& tensor, const std::string& reason) const {
    fail(fmt::format("tensor '{}': {}", tensor, reason));
  }

  std::string text_of(const std::string& member) const {
    const auto bytes = zip_.read(member);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  /// The folder that all members lie in.
  std::string find_prefix() const {
    for (const std::string& member : zip_.names()) {
      const std::size_t slash = member.find('/');
      if (slash != std::string::npos && member.substr(slash + 1) == torch_names::kData) {
        return member.substr(0, slash + 1);
      }
    }
    fail("expected data.pkl, as torch.save of PyTorch 1.6 and newer writes it, found none");
  }

  [[noreturn]] void fail_without_dict() const {
    const Pickle::Value& root = pickle_.at(pickle_.root());
    const bool object = root.kind == Pickle::Kind::call;
    fail(fmt::format("expected a dict of tensors, as torch.save(module.state_dict()) writes it{}",
                     object ? fmt::format(", found an object of {}, which is not run",
                                          in_quotes(pickle_.at(root.items[0]).text))
                            : ""));
  }

  using Entries = TorchPickle::Entries;

  /// The tensors' names and what they stand for: the entries themselves, or a dict among them.
  Entries state_dict_in(Entries all) {
    const auto dicts = dicts_in(all);
    if (dicts.empty()) return all;
    const std::string weight = weight_in(all);
    if (dicts.size() > 1 || !weight.empty()) {
      fail(fmt::format("expected one state_dict, found {} and {}: save the one to import alone",
                       in_quotes(pickle_.at(dicts.front()).text),
                       in_quotes(weight.empty() ? pickle_.at(dicts.back()).text : weight)));
    }
    std::vector<std::string> others;
    Entries inside;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
      if (all[i] == dicts.front()) {
        inside = *pickle_.entries_of(all[i + 1]);
      } else {
        others.push_back(in_quotes(pickle_.at(all[i]).text));
      }
    }
    if (!others.empty()) leave_out(others, "beside " + in_quotes(pickle_.at(dicts[0]).text));
    return inside;
  }

  /// The keys of entries that are dicts with tensors in them.
  std::vector<std::uint32_t> dicts_in(Entries all) const {
    std::vector<std::uint32_t> keys;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
      const auto inside = pickle_.entries_of(all[i + 1]);
      bool has_tensor = false;
      for (std::size_t j = 0; inside && j + 1 < inside->size(); j += 2) {
        has_tensor = has_tensor || (pickle_.at((*inside)[j]).kind == Pickle::Kind::text &&
                                    pickle_.tensor_call((*inside)[j + 1]) != nullptr);
      }
      if (has_tensor) keys.push_back(all[i]);
    }
    return keys;
  }

  /// The name of a weight or bias among entries, or "".
  std::string weight_in(Entries all) const {
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
      const std::string& key = pickle_.at(all[i]).text;
      const bool named = key.ends_with("weight") || key.ends_with("bias") ||
                         key.find("weight_ih_l") != std::string::npos;
      if (named && pickle_.tensor_call(all[i + 1]) != nullptr) return key;
    }
    return "";
  }

  void leave_out(const std::vector<std::string>& names, const std::string& where) {
    constexpr std::ptrdiff_t kShown = 8;
    const auto end = names.begin() + std::min(std::ssize(names), kShown);
    file_.notes.push_back(fmt::format("left out {}: {}{}", where,
                                      fmt::join(names.begin(), end, ", "),
                                      end == names.end() ? "" : ", ..."));
  }

  void add_tensors(Entries entries) {
    std::vector<std::string> others;
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      const Pickle::Value& key = pickle_.at(entries[i]);
      if (key.kind != Pickle::Kind::text) fail("expected names of tensors, found another key");
      const Pickle::Value& value = pickle_.at(entries[i + 1]);
      const bool may_be_weights =
          value.kind == Pickle::Kind::call || value.kind == Pickle::Kind::persistent;
      if (const Pickle::Value* call = pickle_.tensor_call(entries[i + 1])) {
        file_.tensors.push_back(tensors_.read(key.text, *call));
      } else if (may_be_weights && !pickle_.entries_of(entries[i + 1])) {
        fail_at_object(key.text, value);
      } else {
        others.push_back(in_quotes(key.text));
      }
    }
    if (file_.tensors.empty()) {
      fail("expected a dict of tensors, as torch.save(module.state_dict()) writes it, found none");
    }
    if (!others.empty()) leave_out(others, "what is no tensor");
  }

  [[noreturn]] void fail_at_object(const std::string& tensor, const Pickle::Value& value) const {
    const bool is_call = value.kind == Pickle::Kind::call;
    fail(tensor, fmt::format("expected a tensor, found {}{}",
                             is_call ? in_quotes(pickle_.at(value.items[0]).text) : "a storage",
                             is_call ? ", which is not run" : ""));
  }

  std::string name_;
  ZipReader zip_;
  std::string prefix_;
  TorchPickle pickle_;
  TorchTensors tensors_;
  TensorFile file_;
};

}  // namespace

TensorFile parse_torch_file(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::array kPickle{std::byte{0x80}, std::byte{2}};
  if (bytes.size() > 2 && std::ranges::equal(bytes.first(2), kPickle)) {
    throw FileError(fmt::format(
        "{}: expected a zip file, as PyTorch 1.6 and newer writes it, found a pickle: load it in "
        "PyTorch and save it again",
        name));
  }
  return TorchParser(bytes, name).run();
}

}  // namespace quadgate
