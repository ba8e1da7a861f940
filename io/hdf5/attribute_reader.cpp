#include "io/hdf5/attribute_reader.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace quadgate::hdf5 {
namespace {

template <typename T>
Attribute read_numbers(const Handle& attribute, hid_t memory_type, std::size_t count) {
  std::vector<T> values(count);
  if (count != 0 && H5Aread(attribute.id(), memory_type, values.data()) < 0) return {};
  return values;
}

Attribute read_variable_texts(const Handle& attribute, const Handle& type, std::size_t count) {
  std::vector<char*> texts(count, nullptr);
  if (count != 0 && H5Aread(attribute.id(), type.id(), texts.data()) < 0) return {};
  std::vector<std::string> strings(count);
  std::ranges::transform(texts, strings.begin(),
                         [](const char* text) { return std::string(text ? text : ""); });
  const Handle space(H5Aget_space(attribute.id()));
  H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, texts.data());
  return strings;
}

/// Texts of one size, with zeros or, as Fortran writes them, blanks behind.
Attribute read_fixed_texts(const Handle& attribute, const Handle& type, std::size_t count) {
  const std::size_t size = H5Tget_size(type.id());
  const bool is_padded = H5Tget_strpad(type.id()) == H5T_STR_SPACEPAD;
  std::vector<char> text(count * size);
  if (count != 0 && H5Aread(attribute.id(), type.id(), text.data()) < 0) return {};
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = text.data() + i * size;
    strings.emplace_back(begin, strnlen(begin, size));
    if (is_padded) strings.back().erase(strings.back().find_last_not_of(' ') + 1);
  }
  return strings;
}

Attribute read_attribute(const Handle& attribute) {
  const Handle type(H5Aget_type(attribute.id()));
  const Handle space(H5Aget_space(attribute.id()));
  const auto count =
      static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.id())));
  switch (H5Tget_class(type.id())) {
    case H5T_INTEGER:
      return read_numbers<std::int64_t>(attribute, H5T_NATIVE_INT64, count);
    case H5T_FLOAT:
      return read_numbers<double>(attribute, H5T_NATIVE_DOUBLE, count);
    case H5T_STRING:
      return H5Tis_variable_str(type.id()) > 0 ? read_variable_texts(attribute, type, count)
                                               : read_fixed_texts(attribute, type, count);
    default:
      return {};
  }
}

herr_t add_attribute(hid_t object, const char* name, const H5A_info_t*, void* attributes) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT));
  (*static_cast<std::map<std::string, Attribute>*>(attributes))[name] =
      attribute.id() < 0 ? Attribute() : read_attribute(attribute);
  return 0;
}

}  // namespace

std::optional<std::map<std::string, Attribute>> read_attributes(const Handle& object) {
  std::map<std::string, Attribute> attributes;
  if (H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add_attribute, &attributes) <
      0) {
    return {};
  }
  return attributes;
}

}  // namespace quadgate::hdf5
