#include "io/hdf5/dataset_reader.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <variant>

#include "engine/base/error.h"
#include "io/files/load.h"
#include "io/hdf5/attribute_reader.h"
#include "io/hdf5/library_lock.h"

namespace quadgate::hdf5 {
namespace {

/// Whether two bytes are a bfloat16, which HDF5 does not have: Keras says so in an attribute.
bool is_bfloat16(const Handle& dataset) {
  const auto attributes = read_attributes(dataset);
  if (!attributes || !attributes->contains("dtype")) return false;
  const auto* const names = std::get_if<std::vector<std::string>>(&attributes->at("dtype"));
  return names != nullptr && names->size() == 1 && names->front() == "bfloat16";
}

std::string name_type(const Handle& dataset, hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING:
      return "string";
    case H5T_OPAQUE:
      if (bits == 16 && is_bfloat16(dataset)) return "bfloat16";
      [[fallthrough]];
    default:
      return "a type unknown to quadgate";
  }
}

/// From the first half of the bytes, in place.
void widen_bfloat16(std::span<std::byte> floats) {
  for (std::size_t i = floats.size() / sizeof(float); i-- > 0;) {
    const std::uint32_t half = load<std::uint16_t>(&floats[i * sizeof(std::uint16_t)]);
    const std::uint32_t bits = half << 16U;
    std::memcpy(&floats[i * sizeof(float)], &bits, sizeof bits);
  }
}

hid_t memory_type(Element element) {
  if (element == Element::float32) return H5T_NATIVE_FLOAT;
  return element == Element::int32 ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
}

/// "gzip 4", "shuffle", ...: the filters of a dataset's creation properties, each after a comma.
std::string filters_text(hid_t creation) {
  std::string text;
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned int flags = 0;
    std::array<unsigned int, 8> values{};
    std::size_t size = values.size();
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned int>(i), &flags, &size, values.data(),
                       name.size() - 1, name.data(), nullptr);
    text += filter == H5Z_FILTER_DEFLATE ? fmt::format(", gzip {}", values[0])
                                         : fmt::format(", {}", name.data());
  }
  return text;
}

/// The name of a filter that the library does not have, if a dataset needs one.
std::optional<std::string> missing_filter(hid_t creation) {
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned int flags = 0;
    std::size_t size = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned int>(i), &flags, &size, nullptr,
                       name.size() - 1, name.data(), nullptr);
    if (filter >= 0 && H5Zfilter_avail(filter) <= 0)
      return fmt::format("'{}' ({})", name.data(), static_cast<int>(filter));
  }
  return {};
}

std::vector<std::int64_t> shape_of(const Handle& space) {
  const int rank = H5Sget_simple_extent_ndims(space.id());
  std::vector<hsize_t> sizes(static_cast<std::size_t>(std::max(0, rank)));
  H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

}  // namespace

Handle open_dataset(const Handle& file, const std::string& name) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  constexpr std::size_t kSlots = 65'537;  // of chunks, better more than there are
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.id(), kSlots, kBytes, 0);
  return Handle(H5Dopen2(file.id(), name.c_str(), access.id()));
}

DatasetInfo describe_dataset(const Handle& dataset, const std::string& where) {
  const Handle space(H5Dget_space(dataset.id()));
  const Handle type(H5Dget_type(dataset.id()));
  const Handle creation(H5Dget_create_plist(dataset.id()));
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(creation.id()) > 0) {
    throw FileError(
        fmt::format("{}: expected its values in this file, found them in others", where));
  }
  if (const auto filter = missing_filter(creation.id())) {
    throw FileError(
        fmt::format("{}: expected chunks as they are or compressed by gzip or lzf, found filter {}",
                    where, *filter));
  }
  DatasetInfo info;
  info.type_text = name_type(dataset, type.id());
  info.shape = shape_of(space);
  info.element = element_of(info.type_text);
  info.element_bytes = static_cast<std::int64_t>(H5Tget_size(type.id()));
  info.stored_bytes = static_cast<std::int64_t>(H5Dget_storage_size(dataset.id()));
  H5O_info_t object{};
  check(H5Oget_info2(dataset.id(), &object, H5O_INFO_BASIC), [&] { return where + ": damaged"; });
  info.address = static_cast<std::int64_t>(object.addr);
  if (layout == H5D_CHUNKED) {
    std::vector<hsize_t> sizes(info.shape.size());
    H5Pget_chunk(creation.id(), static_cast<int>(sizes.size()), sizes.data());
    info.chunk_shape.assign(sizes.begin(), sizes.end());
    info.filters_text = filters_text(creation.id());
  }
  const haddr_t offset = H5Dget_offset(dataset.id());
  if (layout == H5D_CONTIGUOUS && offset != HADDR_UNDEF && info.element != Element::other &&
      H5Tequal(type.id(), memory_type(info.element)) > 0) {
    info.offset = static_cast<std::int64_t>(offset);
  }
  return info;
}

void read_rows(const Handle& dataset, std::int64_t first, std::int64_t count,
               const std::string& where, std::vector<std::byte>& out) {
  const Handle type(H5Dget_type(dataset.id()));
  const Handle file_space(H5Dget_space(dataset.id()));
  const std::string type_text = name_type(dataset, type.id());
  const Element element = element_of(type_text);
  const bool is_widened = type_text == "bfloat16";
  const std::vector<std::int64_t> shape = shape_of(file_space);
  std::vector<hsize_t> extent(shape.begin(), shape.end());
  if (!extent.empty()) {
    std::vector<hsize_t> start(extent.size(), 0);
    start.front() = static_cast<hsize_t>(first);
    extent.front() = static_cast<hsize_t>(count);
    H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(),
                        nullptr);
  }
  const Handle memory_space(
      H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  out.resize(std::accumulate(extent.begin(), extent.end(), size_of(element), std::multiplies<>()));
  check(H5Dread(dataset.id(), is_widened ? type.id() : memory_type(element), memory_space.id(),
                file_space.id(), H5P_DEFAULT, out.data()),
        [&] { return where + ": cannot be read: the file is damaged"; });
  if (is_widened) widen_bfloat16(out);
}

}  // namespace quadgate::hdf5
