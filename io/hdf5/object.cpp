#include "io/hdf5/object.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

namespace quadgate::hdf5 {
namespace {

using nlohmann::json;

constexpr const char* kIntegers = "integers";
constexpr const char* kFloats = "floats";
constexpr const char* kTexts = "texts";

json to_json(const Attribute& attribute) {
  json result = json::object();
  if (const auto* integers = std::get_if<1>(&attribute)) result[kIntegers] = *integers;
  if (const auto* floats = std::get_if<2>(&attribute)) result[kFloats] = *floats;
  if (const auto* texts = std::get_if<3>(&attribute)) result[kTexts] = *texts;
  return result;
}

Attribute attribute_of(const json& value) {
  if (value.contains(kIntegers)) return value[kIntegers].get<std::vector<std::int64_t>>();
  if (value.contains(kFloats)) return value[kFloats].get<std::vector<double>>();
  if (value.contains(kTexts)) return value[kTexts].get<std::vector<std::string>>();
  return {};
}

json to_json(const DatasetInfo& dataset) {
  return {{"type", dataset.type_text},       {"element_bytes", dataset.element_bytes},
          {"shape", dataset.shape},          {"chunk_shape", dataset.chunk_shape},
          {"filters", dataset.filters_text}, {"stored_bytes", dataset.stored_bytes},
          {"address", dataset.address},      {"offset", dataset.offset}};
}

/// Whether its bytes can be counted.
bool is_countable(std::span<const std::int64_t> shape, std::int64_t element_bytes) {
  std::int64_t most =
      std::numeric_limits<std::int64_t>::max() / std::max<std::int64_t>(1, element_bytes);
  for (const std::int64_t size : shape) {
    if (size < 0 || size > most) return false;
    most /= std::max<std::int64_t>(1, size);
  }
  return true;
}

DatasetInfo dataset_of(const json& value) {
  DatasetInfo dataset{.element = element_of(value.at("type").get<std::string>()),
                      .type_text = value.at("type"),
                      .element_bytes = value.at("element_bytes"),
                      .shape = value.at("shape"),
                      .chunk_shape = value.at("chunk_shape"),
                      .filters_text = value.at("filters"),
                      .stored_bytes = value.at("stored_bytes"),
                      .address = value.at("address"),
                      .offset = value.at("offset")};
  const std::vector<std::int64_t>& chunk = dataset.chunk_shape;
  if (dataset.element != Element::other &&
      std::cmp_not_equal(dataset.element_bytes, size_of(dataset.element))) {
    throw Unfit("its type is damaged");
  }
  if (dataset.element_bytes < 0 || !is_countable(dataset.shape, dataset.element_bytes) ||
      !is_countable(chunk, dataset.element_bytes) || std::ranges::find(chunk, 0) != chunk.end() ||
      (!chunk.empty() && chunk.size() != dataset.shape.size())) {
    throw Unfit("its shape is damaged");
  }
  return dataset;
}

}  // namespace

std::vector<std::byte> encode(const Object& object) {
  json attributes = json::object();
  for (const auto& [name, value] : object.attributes) attributes[name] = to_json(value);
  const std::vector<std::uint8_t> bytes = json::to_cbor({{"kind", object.kind},
                                                         {"members", object.members},
                                                         {"attributes", std::move(attributes)},
                                                         {"dataset", to_json(object.dataset)}});
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

Object decode(std::span<const std::byte> bytes) try {
  const json value =
      json::from_cbor(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                      reinterpret_cast<const std::uint8_t*>(bytes.data()) + bytes.size());
  Object object{.kind = value.at("kind").get<ObjectKind>(),
                .members = value.at("members"),
                .attributes = {},
                .dataset = dataset_of(value.at("dataset"))};
  for (const auto& [name, attribute] : value.at("attributes").items()) {
    object.attributes.emplace(name, attribute_of(attribute));
  }
  return object;
} catch (const json::exception&) {
  throw Unfit("its description is damaged");
}

Element element_of(std::string_view type_text) noexcept {
  if (type_text == "float32") return Element::float32;
  if (type_text == "int32") return Element::int32;
  if (type_text == "int64") return Element::int64;
  return Element::other;
}

std::int64_t product(std::span<const std::int64_t> sizes) noexcept {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string object_text(const std::filesystem::path& path, const std::string& object) {
  return object.empty() ? path.string() : fmt::format("{}: '{}'", path.string(), object);
}

std::string attribute_text(const std::filesystem::path& path, const std::string& object,
                           const std::string& attribute) {
  return fmt::format("{}: attribute '{}{}{}'", path.string(), object, object.empty() ? "" : "@",
                     attribute);
}

}  // namespace quadgate::hdf5
