#include "io/hdf5/object.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <numeric>

namespace quadgate::hdf5 {

Element element_of(std::string_view type_text) noexcept {
  const auto is_one_of = [type_text](std::initializer_list<std::string_view> types) {
    return std::ranges::find(types, type_text) != types.end();
  };
  if (is_one_of({"float16", "bfloat16", "float32", "float64"})) return Element::float32;
  if (type_text == "int32") return Element::int32;
  return is_one_of({"int8", "uint8", "int16", "uint16", "uint32", "int64", "uint64"})
             ? Element::int64
             : Element::other;
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
