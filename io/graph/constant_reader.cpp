#include "io/graph/constant_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "io/files/load.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::graph {
namespace {

using Proto = onnx::TensorProto;

constexpr std::size_t kMostWhole = 1 << 16;  // numbers of a constant that is no weight

std::optional<ElementType> float_type(std::int32_t type) {
  switch (type) {
    case Proto::DOUBLE:
      return ElementType::f64;
    case Proto::FLOAT:
      return ElementType::f32;
    case Proto::FLOAT16:
      return ElementType::f16;
    case Proto::BFLOAT16:
      return ElementType::bf16;
    default:
      return {};
  }
}

/// Bytes of a whole number, negative with a sign; 0 for other types.
int whole_size(std::int32_t type) {
  switch (type) {
    case Proto::BOOL:
    case Proto::UINT8:
      return 1;
    case Proto::INT8:
      return -1;
    case Proto::UINT16:
      return 2;
    case Proto::INT16:
      return -2;
    case Proto::UINT32:
      return 4;
    case Proto::INT32:
      return -4;
    case Proto::UINT64:
    case Proto::INT64:
      return -8;
    default:
      return 0;
  }
}

std::int64_t whole_number(int size, const std::byte* from) {
  switch (size) {
    case 1:
      return load<std::uint8_t>(from);
    case -1:
      return load<std::int8_t>(from);
    case 2:
      return load<std::uint16_t>(from);
    case -2:
      return load<std::int16_t>(from);
    case 4:
      return load<std::uint32_t>(from);
    case -4:
      return load<std::int32_t>(from);
    default:
      return load<std::int64_t>(from);
  }
}

/// The numbers of a constant whose type has a field of its own; empty if there are none.
Floats typed_floats(const Proto& from, ElementType type) {
  if (type == ElementType::f32) return {from.float_data().begin(), from.float_data().end()};
  Floats values;
  if (type == ElementType::f64) {
    for (const double value : from.double_data()) values.push_back(static_cast<float>(value));
    return values;
  }
  for (const std::int32_t bits : from.int32_data()) {  // of half precision
    const auto half = static_cast<std::uint16_t>(bits);
    values.push_back(to_float(type, std::as_bytes(std::span(&half, 1)).data()));
  }
  return values;
}

std::vector<std::int64_t> typed_integers(const Proto& from) {
  switch (from.data_type()) {
    case Proto::INT64:
      return {from.int64_data().begin(), from.int64_data().end()};
    case Proto::UINT64:
    case Proto::UINT32:
      return {from.uint64_data().begin(), from.uint64_data().end()};
    default:
      return {from.int32_data().begin(), from.int32_data().end()};
  }
}

/// Below 0 if it is none.
std::int64_t parsed(const std::string& text) {
  std::int64_t value = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? value : -1;
}

Floats raw_floats(std::span<const std::byte> raw, ElementType type) {
  const std::size_t size = size_of(type);
  Floats values;
  values.reserve(raw.size() / size);
  for (std::size_t i = 0; i < raw.size() / size; ++i) {
    values.push_back(to_float(type, raw.data() + i * size));
  }
  return values;
}

Integers integers(const Proto& from, std::span<const std::byte> raw, int signed_size) {
  const auto size = static_cast<std::size_t>(std::abs(signed_size));
  const std::vector<std::int64_t> typed = typed_integers(from);
  if (std::max(raw.size() / size, typed.size()) > kMostWhole) {
    throw FileError(
        fmt::format("constant '{}': expected at most {} whole numbers", from.name(), kMostWhole));
  }
  Integers values;
  for (const std::int64_t number : typed) values.push_back({.number = number});
  for (std::size_t i = 0; raw.size() >= size && i < raw.size() / size; ++i) {
    values.push_back({.number = whole_number(signed_size, raw.data() + i * size)});
  }
  return values;
}

}  // namespace

bool is_whole_type(std::int32_t type) { return whole_size(type) != 0; }

ConstantReader::ConstantReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

TensorPtr ConstantReader::read(const Proto& from) {
  Tensor to{.shape = {from.dims().begin(), from.dims().end()}, .values = {}};
  const auto type = float_type(from.data_type());
  const int size = whole_size(from.data_type());
  if (!type && size == 0) {
    throw FileError(fmt::format("constant '{}': expected numbers, found {}", from.name(),
                                onnx::TensorProto_DataType_Name(from.data_type())));
  }
  const auto raw = from.data_location() == Proto::EXTERNAL
                       ? outside(from)
                       : std::as_bytes(std::span(from.raw_data()));
  const auto count = count_elements(to.shape, std::numeric_limits<std::int32_t>::max());
  if (type) {
    to.values = raw.empty() ? typed_floats(from, *type) : raw_floats(raw, *type);
  } else {
    to.values = integers(from, raw, size);
  }
  if (count != static_cast<std::int64_t>(to.size())) {
    throw FileError(
        fmt::format("constant '{}': expected as many numbers as its shape ({}) has, found {}",
                    from.name(), fmt::join(to.shape, ", "), to.size()));
  }
  return std::make_shared<const Tensor>(std::move(to));
}

// The bytes of a constant that lies in another file of the folder.
std::span<const std::byte> ConstantReader::outside(const Proto& from) {
  std::map<std::string, std::string> where{{"offset", "0"}};
  for (const auto& entry : from.external_data()) where[entry.key()] = entry.value();
  const std::filesystem::path location = where["location"];
  if (folder_.empty() || location.empty() || location != location.filename()) {
    throw FileError(fmt::format("constant '{}': expected a file beside this one, found '{}'",
                                from.name(), location.string()));
  }
  auto [file, is_new] = files_.try_emplace(location.string());
  if (is_new) {
    file->second = read_bytes(folder_ / location);
    bytes_ += file->second.size();
  }
  const std::span<const std::byte> whole(file->second);
  const auto offset = parsed(where["offset"]);
  const auto length =
      where.contains("length") ? parsed(where["length"]) : std::ssize(whole) - offset;
  if (offset < 0 || length < 0 || offset > std::ssize(whole) ||
      length > std::ssize(whole) - offset) {
    throw FileError(fmt::format("constant '{}': expected bytes within the {} of '{}'", from.name(),
                                whole.size(), location.string()));
  }
  return whole.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

}  // namespace quadgate::graph
