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
#include "io/tensors/zip.h"

namespace quadgate {
namespace {

/// A 1-D array of a file, which tensors are views of.
struct Storage {
  ElementType type = ElementType::f32;
  std::vector<std::byte> bytes;

  std::int64_t size() const noexcept {
    return static_cast<std::int64_t>(bytes.size() / size_of(type));
  }
};

/// Reads one file.
class TorchParser {
 public:
  TorchParser(std::span<const std::byte> bytes, const std::string& name)
      : name_(name), size_(bytes.size()), zip_(bytes, name), prefix_(find_prefix()) {
    const std::string order = prefix_ + "byteorder";
    if (zip_.has(order) && text_of(order) != "little") {
      fail(fmt::format("byteorder: expected little, found '{}'", text_of(order)));
    }
    pickle_ = parse_pickle(zip_.read(prefix_ + std::string(torch_names::kData)), name);
  }

  TensorFile run() {
    file_.in_order = true;
    const auto entries = entries_of(pickle_.root);
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
    const Pickle::Value& root = pickle_.at(pickle_.root);
    const bool object = root.kind == Pickle::Kind::call;
    fail(fmt::format("expected a dict of tensors, as torch.save(module.state_dict()) writes it{}",
                     object ? fmt::format(", found an object of {}, which is not run",
                                          quoted(pickle_.at(root.items[0]).text))
                            : ""));
  }

  /// A name of the file, as much of it as a message needs.
  static std::string quoted(const std::string& name) {
    constexpr std::size_t kShown = 100;
    return fmt::format("'{}{}'", name.substr(0, kShown), name.size() > kShown ? "..." : "");
  }

  /// As Pickle has it: key, value, key, value, ...
  using Entries = std::span<const std::uint32_t>;

  /// The tensors' names and what they stand for: the entries themselves, or a dict among them.
  Entries state_dict_in(Entries all) {
    const auto dicts = dicts_in(all);
    if (dicts.empty()) return all;
    const std::string weight = weight_in(all);
    if (dicts.size() > 1 || !weight.empty()) {
      fail(fmt::format("expected one state_dict, found {} and {}: save the one to import alone",
                       quoted(pickle_.at(dicts.front()).text),
                       quoted(weight.empty() ? pickle_.at(dicts.back()).text : weight)));
    }
    std::vector<std::string> others;
    Entries inside;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
      if (all[i] == dicts.front()) {
        inside = *entries_of(all[i + 1]);
      } else {
        others.push_back(quoted(pickle_.at(all[i]).text));
      }
    }
    if (!others.empty()) leave_out(others, "beside " + quoted(pickle_.at(dicts[0]).text));
    return inside;
  }

  /// The keys of entries that are dicts with tensors in them.
  std::vector<std::uint32_t> dicts_in(Entries all) const {
    std::vector<std::uint32_t> keys;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
      const auto inside = entries_of(all[i + 1]);
      bool has_tensor = false;
      for (std::size_t j = 0; inside && j + 1 < inside->size(); j += 2) {
        has_tensor = has_tensor || (pickle_.at((*inside)[j]).kind == Pickle::Kind::text &&
                                    tensor_call((*inside)[j + 1]) != nullptr);
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
      if (named && tensor_call(all[i + 1]) != nullptr) return key;
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
      if (tensor_call(entries[i + 1]) != nullptr) {
        file_.tensors.push_back(tensor(key.text, entries[i + 1]));
      } else if (may_be_weights && !entries_of(entries[i + 1])) {
        fail_at_object(key.text, value);
      } else {
        others.push_back(quoted(key.text));
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
                             is_call ? quoted(pickle_.at(value.items[0]).text) : "a storage",
                             is_call ? ", which is not run" : ""));
  }

  bool is_call(const Pickle::Value& value, std::string_view function) const {
    return value.kind == Pickle::Kind::call && pickle_.at(value.items[0]).text == function;
  }
  /// The call that makes a tensor; null for any other value.
  const Pickle::Value* tensor_call(std::uint32_t place) const {
    const Pickle::Value* call = &pickle_.at(place);
    const bool wrapped =
        std::ranges::any_of(torch_names::kParameters,
                            [&](std::string_view function) { return is_call(*call, function); });
    if (wrapped && !arguments_of(*call).empty()) call = &pickle_.at(arguments_of(*call).front());
    return is_call(*call, torch_names::kTensor) && arguments_of(*call).size() >= 4 ? call : nullptr;
  }
  const std::vector<std::uint32_t>& arguments_of(const Pickle::Value& call) const {
    return pickle_.at(call.items[1]).items;
  }

  /// Keys and values of a dict or OrderedDict, or empty.
  std::optional<std::span<const std::uint32_t>> entries_of(std::uint32_t place) const {
    const Pickle::Value& value = pickle_.at(place);
    if (value.kind == Pickle::Kind::mapping) return value.items;
    if (is_call(value, torch_names::kOrderedDict) && arguments_of(value).empty()) {
      return std::span(value.items).subspan(2);
    }
    return {};
  }

  std::vector<std::int64_t> integers_of(const std::string& tensor, std::uint32_t place) const {
    const Pickle::Value& list = pickle_.at(place);
    std::vector<std::int64_t> numbers;
    for (const std::uint32_t item : list.items) {
      if (list.kind != Pickle::Kind::sequence || pickle_.at(item).kind != Pickle::Kind::integer) {
        fail(tensor, "expected integers for its shape and strides");
      }
      numbers.push_back(pickle_.at(item).number);
    }
    return numbers;
  }

  const Storage& storage(const std::string& tensor, std::uint32_t place) {
    const Pickle::Value& reference = pickle_.at(place);
    if (reference.kind != Pickle::Kind::persistent) fail(tensor, "expected a storage");
    // ("storage", type, key, device, number of elements)
    const auto& parts = pickle_.at(reference.items[0]).items;
    if (parts.size() != 5 || pickle_.at(parts[0]).text != "storage" ||
        pickle_.at(parts[1]).kind != Pickle::Kind::global ||
        pickle_.at(parts[2]).kind != Pickle::Kind::text) {
      fail(tensor, "expected a storage");
    }
    const auto* const type =
        std::ranges::find(torch_names::kStorages, pickle_.at(parts[1]).text,
                          &decltype(torch_names::kStorages)::value_type::first);
    if (type == torch_names::kStorages.end()) {
      fail(tensor, fmt::format("expected floats or whole numbers, found {}",
                               quoted(pickle_.at(parts[1]).text)));
    }
    const std::string& key = pickle_.at(parts[2]).text;
    const auto [found, is_new] = storages_.try_emplace(key);
    if (is_new) found->second = {type->second, zip_.read(prefix_ + "data/" + key)};
    if (found->second.type != type->second) fail(tensor, "its storage has two types");
    return found->second;
  }

  /// Whether every element of a view that is not empty lies in a storage of `size` elements.
  static bool lies_within(std::int64_t size, std::int64_t offset,
                          std::span<const std::int64_t> shape,
                          std::span<const std::int64_t> strides) {
    if (offset < 0 || offset >= size) return false;
    std::int64_t room = size - 1 - offset;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (strides[i] < 0 || (strides[i] > 0 && shape[i] - 1 > room / strides[i])) return false;
      room -= (shape[i] - 1) * strides[i];
    }
    return true;
  }

  NamedTensor tensor(const std::string& tensor_name, std::uint32_t place) {
    const Pickle::Value* const call = tensor_call(place);
    const auto& arguments = arguments_of(*call);
    const Storage& from = storage(tensor_name, arguments[0]);
    const Pickle::Value& offset = pickle_.at(arguments[1]);
    NamedTensor tensor{.name = tensor_name,
                       .shape = integers_of(tensor_name, arguments[2]),
                       .values = {},
                       .whole_numbers = is_whole(from.type)};
    auto strides = integers_of(tensor_name, arguments[3]);
    for (std::size_t i = 0; i < std::min(strides.size(), tensor.shape.size()); ++i) {
      if (tensor.shape[i] == 1) strides[i] = 0;  // it is never stepped along
    }
    const auto most = static_cast<std::int64_t>(kMostTimesOfFile * size_ / sizeof(float));
    const std::int64_t count = count_elements(tensor.shape, most);
    if (offset.kind != Pickle::Kind::integer || strides.size() != tensor.shape.size() ||
        count < 0 ||
        (count > 0 && !lies_within(from.size(), offset.number, tensor.shape, strides))) {
      fail(tensor_name, fmt::format("expected a part of its storage of {} elements", from.size()));
    }
    count_out(tensor_name, count);
    tensor.values = gather(from, offset.number, tensor.shape, strides, count);
    return tensor;
  }

  void count_out(const std::string& tensor, std::int64_t count) {
    given_ += static_cast<std::size_t>(count) * sizeof(float);
    if (given_ > kMostTimesOfFile * size_) {
      fail(tensor, fmt::format("expected tensors of at most {} bytes in all, {} times the file's",
                               kMostTimesOfFile * size_, kMostTimesOfFile));
    }
  }

  /// The elements of a view, in row-major order.
  static std::vector<float> gather(const Storage& from, std::int64_t offset,
                                   std::span<const std::int64_t> shape,
                                   std::span<const std::int64_t> strides, std::int64_t count) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(count));
    std::vector<std::int64_t> index(shape.size(), 0);
    std::int64_t at = offset;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(to_float(
          from.type, from.bytes.data() + at * static_cast<std::int64_t>(size_of(from.type))));
      for (std::size_t d = shape.size(); d-- > 0;) {
        at += strides[d];
        if (++index[d] < shape[d]) break;
        at -= shape[d] * strides[d];
        index[d] = 0;
      }
    }
    return values;
  }

  std::string name_;
  std::size_t size_;
  ZipReader zip_;
  std::string prefix_;
  Pickle pickle_;
  std::map<std::string, Storage> storages_;
  TensorFile file_;
  std::size_t given_ = 0;  // bytes of the tensors so far
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
