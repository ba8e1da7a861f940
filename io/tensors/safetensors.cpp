#include "io/tensors/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/files/replace_file.h"

namespace quadgate {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthSize = 8;
constexpr const char* kMetadata = "__metadata__";

std::optional<ElementType> parse_dtype(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 10> kTypes{
      {{"F64", ElementType::f64},
       {"F32", ElementType::f32},
       {"F16", ElementType::f16},
       {"BF16", ElementType::bf16},
       {"I64", ElementType::i64},
       {"I32", ElementType::i32},
       {"I16", ElementType::i16},
       {"I8", ElementType::i8},
       {"U8", ElementType::u8},
       {"BOOL", ElementType::boolean}}};
  const auto* const found =
      std::ranges::find(kTypes, text, &std::pair<std::string_view, ElementType>::first);
  if (found == kTypes.end()) return {};
  return found->second;
}

/// Whole numbers, at least 0.
std::optional<std::vector<std::int64_t>> sizes_of(const json& list) {
  if (!list.is_array()) return {};
  std::vector<std::int64_t> sizes;
  for (const json& size : list) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kMost) return {};
    sizes.push_back(size.get<std::int64_t>());
  }
  return sizes;
}

/// Reads one file.
class SafetensorsParser {
 public:
  SafetensorsParser(std::span<const std::byte> bytes, std::string name) : name_(std::move(name)) {
    const json header = parse_header(bytes);
    data_ = bytes.subspan(bytes.size() - data_size_);
    for (const auto& [key, value] : header.items()) {
      key == kMetadata ? add_metadata(value) : add_tensor(key, value);
    }
    expect_no_holes();
    add_aliases(bytes.size());
  }

  TensorFile take() { return std::move(file_); }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }

  json parse_header(std::span<const std::byte> bytes) {
    constexpr std::uint64_t kMostHeader = 100'000'000;  // the format's own limit
    std::uint64_t length = 0;
    if (bytes.size() < kLengthSize) {
      fail(fmt::format("safetensors: expected at least 8 bytes, found {}", bytes.size()));
    }
    std::memcpy(&length, bytes.data(), kLengthSize);
    const std::uint64_t room = std::min<std::uint64_t>(bytes.size() - kLengthSize, kMostHeader);
    if (length > room) {
      fail(fmt::format("safetensors: expected a header of at most {} bytes, found {}", room,
                       length));
    }
    data_size_ = bytes.size() - kLengthSize - length;
    const auto* const text = reinterpret_cast<const char*>(bytes.data()) + kLengthSize;
    const auto expect_flat = [this](int depth, json::parse_event_t, json&) {
      constexpr int kDeepest = 3;
      if (depth > kDeepest) fail("safetensors header: expected no deeper lists and objects");
      return true;
    };
    try {
      json header = json::parse(text, text + length, expect_flat);
      if (!header.is_object()) fail("safetensors header: expected a JSON object");
      return header;
    } catch (const json::exception& error) {
      fail(fmt::format("safetensors header: {}", error.what()));
    }
  }

  void add_metadata(const json& texts) {
    if (!texts.is_object()) fail(fmt::format("{}: expected an object of texts", kMetadata));
    for (const auto& [key, text] : texts.items()) {
      if (!text.is_string()) fail(fmt::format("{}: '{}': expected a text", kMetadata, key));
      file_.metadata[key] = text.get<std::string>();
    }
  }

  void add_tensor(const std::string& name, const json& entry) {
    const auto wrong = [&](const char* field, const char* expected) {
      fail(fmt::format("tensor '{}': {}: expected {}", name, field, expected));
    };
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!entry.is_object() || !entry.contains(field)) wrong(field, "one, found none");
    }
    const json& dtype = entry["dtype"];
    const auto type = dtype.is_string() ? parse_dtype(dtype.get<std::string>()) : std::nullopt;
    if (!type) {
      fail(fmt::format("tensor '{}': dtype: expected floats or whole numbers, found {}", name,
                       dtype.dump()));
    }
    const auto shape = sizes_of(entry["shape"]);
    if (!shape) wrong("shape", "a list of sizes");
    const auto offsets = sizes_of(entry["data_offsets"]);
    if (!offsets || offsets->size() != 2) wrong("data_offsets", "a begin and an end");
    const std::int64_t begin = (*offsets)[0];
    const std::int64_t end = (*offsets)[1];
    if (begin > end || std::cmp_greater(end, data_.size())) {
      fail(fmt::format("tensor '{}': data_offsets: expected from 0 to {}, found {} to {}", name,
                       data_.size(), begin, end));
    }
    const auto size = static_cast<std::int64_t>(size_of(*type));
    const std::int64_t count = count_elements(*shape, std::ssize(data_) / size);
    if (count < 0 || count * size != end - begin) {
      fail(fmt::format("tensor '{}': expected {} bytes for its shape, found {}", name,
                       count < 0 ? "more" : std::to_string(count * size), end - begin));
    }
    ranges_.emplace_back(begin, end);
    NamedTensor tensor{
        .name = name, .shape = *shape, .values = {}, .whole_numbers = is_whole(*type)};
    tensor.values.reserve(static_cast<std::size_t>(count));
    for (std::int64_t at = begin; at < end; at += size) {
      tensor.values.push_back(to_float(*type, data_.data() + at));
    }
    file_.tensors.push_back(std::move(tensor));
  }

  void add_aliases(std::size_t file_size) {
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < file_.tensors.size(); ++i) places[file_.tensors[i].name] = i;
    std::size_t given = 0;
    for (const auto& [alias, name] : file_.metadata) {
      const auto place = places.find(name);
      if (place == places.end() || places.contains(alias)) continue;
      given += file_.tensors[place->second].values.size() * sizeof(float);
      if (given > kMostTimesOfFile * file_size) {
        fail(fmt::format("{}: '{}': expected names for at most {} bytes of tensors", kMetadata,
                         alias, kMostTimesOfFile * file_size));
      }
      NamedTensor tensor = file_.tensors[place->second];
      tensor.name = alias;
      file_.tensors.push_back(std::move(tensor));
    }
  }

  /// As the format has it: every byte belongs to one tensor.
  void expect_no_holes() {
    std::ranges::sort(ranges_);
    std::int64_t end = 0;
    for (const auto& range : ranges_) {
      if (range.first != end) {
        fail(fmt::format("data: expected a tensor from byte {} on, found the next at {}", end,
                         range.first));
      }
      end = range.second;
    }
    if (end != std::ssize(data_)) {
      fail(fmt::format("data: expected {} bytes, found {}", end, data_.size()));
    }
  }

  std::string name_;
  std::size_t data_size_ = 0;
  std::span<const std::byte> data_;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges_;  // of bytes, of each tensor
  TensorFile file_;
};

}  // namespace

TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  return SafetensorsParser(bytes, name).take();
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  std::size_t end = 0;
  for (const NamedTensor& tensor : file.tensors) {
    const std::size_t begin = end;
    end += tensor.values.size() * sizeof(float);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthSize - 1) / kLengthSize * kLengthSize, ' ');
  std::vector<std::byte> bytes(kLengthSize + text.size() + end);
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, kLengthSize);
  std::memcpy(bytes.data() + kLengthSize, text.data(), text.size());
  std::byte* to = bytes.data() + kLengthSize + text.size();
  for (const NamedTensor& tensor : file.tensors) {
    to = std::ranges::copy(std::as_bytes(std::span(tensor.values)), to).out;
  }
  replace_file(path, bytes);
}

}  // namespace quadgate
