#include "io/tensors/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/tensors/pickle.h"
#include "io/tensors/zip.h"

namespace quadgate {
namespace {

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";
constexpr std::array<std::pair<std::string_view, ElementType>, 4> kStorages{
    {{"torch.FloatStorage", ElementType::f32},
     {"torch.DoubleStorage", ElementType::f64},
     {"torch.HalfStorage", ElementType::f16},
     {"torch.BFloat16Storage", ElementType::bf16}}};
constexpr std::array<std::string_view, 7> kGlobals{
    kOrderedDict,       kTensor,           kParameter, kStorages[0].first, kStorages[1].first,
    kStorages[2].first, kStorages[3].first};

constexpr std::string_view kData = "data.pkl";
constexpr std::string_view kExtra = "extra/";

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
    pickle_ = parse_pickle(zip_.read(prefix_ + std::string(kData)), kGlobals, name);
  }

  TensorFile run() {
    TensorFile file;
    const auto entries = entries_of(pickle_.root);
    if (!entries) fail("expected a dict of tensors, as torch.save(module.state_dict()) writes it");
    for (std::size_t i = 0; i + 1 < entries->size(); i += 2) {
      const Pickle::Value& key = pickle_.at((*entries)[i]);
      if (key.kind != Pickle::Kind::text) fail("expected names of tensors, found another key");
      file.tensors.push_back(tensor(key.text, (*entries)[i + 1]));
    }
    const std::string extra = prefix_ + std::string(kExtra);
    for (const std::string& member : zip_.names()) {
      if (member.starts_with(extra)) file.metadata[member.substr(extra.size())] = text_of(member);
    }
    return file;
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
      if (slash != std::string::npos && member.substr(slash + 1) == kData) {
        return member.substr(0, slash + 1);
      }
    }
    fail("expected data.pkl, as torch.save of PyTorch 1.6 and newer writes it, found none");
  }

  bool is_call(const Pickle::Value& value, std::string_view function) const {
    return value.kind == Pickle::Kind::call && pickle_.at(value.items[0]).text == function;
  }
  const std::vector<std::uint32_t>& arguments_of(const Pickle::Value& call) const {
    return pickle_.at(call.items[1]).items;
  }

  /// Keys and values of a dict or OrderedDict, or empty.
  std::optional<std::span<const std::uint32_t>> entries_of(std::uint32_t place) const {
    const Pickle::Value& value = pickle_.at(place);
    if (value.kind == Pickle::Kind::mapping) return value.items;
    if (is_call(value, kOrderedDict) && arguments_of(value).empty()) {
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
    const auto* const type = std::ranges::find(kStorages, pickle_.at(parts[1]).text,
                                               &decltype(kStorages)::value_type::first);
    if (type == kStorages.end()) fail(tensor, "expected a storage of numbers");
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
    const Pickle::Value* call = &pickle_.at(place);
    if (is_call(*call, kParameter) && !arguments_of(*call).empty()) {
      call = &pickle_.at(arguments_of(*call).front());
    }
    if (!is_call(*call, kTensor) || arguments_of(*call).size() < 4) {
      fail(tensor_name, "expected a tensor, found another value");
    }
    const auto& arguments = arguments_of(*call);
    const Storage& from = storage(tensor_name, arguments[0]);
    const Pickle::Value& offset = pickle_.at(arguments[1]);
    NamedTensor tensor{
        .name = tensor_name, .shape = integers_of(tensor_name, arguments[2]), .values = {}};
    auto strides = integers_of(tensor_name, arguments[3]);
    for (std::size_t i = 0; i < std::min(strides.size(), tensor.shape.size()); ++i) {
      if (tensor.shape[i] == 1) strides[i] = 0;  // it is never stepped along
    }
    const std::int64_t count = count_elements(tensor.shape, from.size());
    if (offset.kind != Pickle::Kind::integer || strides.size() != tensor.shape.size() ||
        count < 0 ||
        (count > 0 && !lies_within(from.size(), offset.number, tensor.shape, strides))) {
      fail(tensor_name, fmt::format("expected a part of its storage of {} elements", from.size()));
    }
    count_out(tensor_name, count);
    tensor.values = gather(from, offset.number, tensor.shape, strides, count);
    return tensor;
  }

  /// Tensors may share a storage, but a small file must not become large.
  void count_out(const std::string& tensor, std::int64_t count) {
    constexpr std::size_t kMostTimes = 8;
    given_ += static_cast<std::size_t>(count) * sizeof(float);
    if (given_ > kMostTimes * size_) {
      fail(tensor, fmt::format("expected tensors of at most {} bytes in all, {} times the file's",
                               kMostTimes * size_, kMostTimes));
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
  std::size_t given_ = 0;  // bytes of the tensors so far
};

/// Writes the pickle of a state_dict, protocol 2.
class Pickler {
 public:
  std::string run(const TensorFile& file) {
    out_ = "\x80\x02}(";
    std::size_t key = 0;
    for (const NamedTensor& tensor : file.tensors) add(tensor, std::to_string(key++));
    return out_ + "u.";
  }

 private:
  void text(std::string_view text) {
    out_ += 'X';
    little_endian(text.size(), 4);
    out_ += text;
  }
  void integer(std::int64_t value) {
    out_ += "\x8a\x08";
    little_endian(static_cast<std::uint64_t>(value), 8);
  }
  void little_endian(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
  void global(std::string_view full_name) {
    const std::size_t dot = full_name.rfind('.');
    out_ += fmt::format("c{}\n{}\n", full_name.substr(0, dot), full_name.substr(dot + 1));
  }
  void integers(std::span<const std::int64_t> values) {
    out_ += '(';
    for (const std::int64_t value : values) integer(value);
    out_ += 't';
  }
  void add(const NamedTensor& tensor, const std::string& key) {
    text(tensor.name);
    global(kTensor);
    out_ += "((";
    text("storage");
    global(kStorages.front().first);
    text(key);
    text("cpu");
    integer(std::ssize(tensor.values));
    out_ += "tQ";
    integer(0);
    integers(tensor.shape);
    std::vector<std::int64_t> strides(tensor.shape.size(), 1);
    for (std::size_t d = strides.size(); d-- > 1;) strides[d - 1] = strides[d] * tensor.shape[d];
    integers(strides);
    out_ += '\x89';  // requires_grad
    global(kOrderedDict);
    out_ += ")RtR";  // no hooks
  }

  std::string out_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TensorFile parse_torch_file(std::span<const std::byte> bytes, const std::string& name) {
  return TorchParser(bytes, name).run();
}

void write_torch_file(const std::filesystem::path& path, const TensorFile& file) {
  const std::string folder = path.stem().string() + "/";
  const std::string pickle = Pickler().run(file);
  std::map<std::string, std::span<const std::byte>> members{
      {folder + std::string(kData), bytes_of(pickle)},
      {folder + "byteorder", bytes_of("little")},
      {folder + "version", bytes_of("3\n")}};
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    members[fmt::format("{}data/{}", folder, i)] = std::as_bytes(std::span(file.tensors[i].values));
  }
  for (const auto& [key, text] : file.metadata) {
    members[folder + std::string(kExtra) + key] = bytes_of(text);
  }
  replace_file(path, make_zip(members, path.string()));
}

}  // namespace quadgate
