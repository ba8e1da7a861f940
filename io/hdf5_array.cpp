#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/hdf5.h"
#include "io/hdf5_session.h"

namespace quadgate::hdf5 {
namespace {

std::string name_type(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING:
      return "string";
    default:
      return "a type unknown to quadgate";
  }
}

Element element_of(std::string_view type_text) {
  if (type_text == "float32") return Element::float32;
  if (type_text == "int32") return Element::int32;
  if (type_text == "int64") return Element::int64;
  return Element::other;
}

const char* element_text(Element element) {
  switch (element) {
    case Element::float32:
      return "float32";
    case Element::int32:
      return "int32";
    case Element::int64:
      return "int64";
    case Element::other:
      break;
  }
  return "other";
}

hid_t memory_type(Element element) {
  if (element == Element::float32) return H5T_NATIVE_FLOAT;
  return element == Element::int32 ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
}

// Rows of a small compressed dataset may come in any order; a large one is read chunk by chunk.
constexpr std::size_t kCacheBytes = std::size_t{16} << 20;

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

}  // namespace

Handle open_dataset(const Handle& file, const std::string& name) {
  constexpr std::size_t kCacheSlots = 1009;
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.id(), kCacheSlots, kCacheBytes, 0);
  return Handle(H5Dopen2(file.id(), name.c_str(), access.id()));
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Array::Array(std::filesystem::path path, std::string name, Handle dataset)
    : path_(std::move(path)), name_(std::move(name)), dataset_(std::move(dataset)) {
  const Session session;
  const Handle space(H5Dget_space(dataset_.id()));
  const Handle type(H5Dget_type(dataset_.id()));
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0 || type.id() < 0) throw FileError(where() + ": damaged");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
  shape_.assign(sizes.begin(), sizes.end());
  type_text_ = name_type(type.id());
  element_ = element_of(type_text_);
  find_direct_access(type);
}

void Array::find_direct_access(const Handle& type) {
  const Handle creation(H5Dget_create_plist(dataset_.id()));
  const Handle file(H5Iget_file_id(dataset_.id()));
  const Handle access(H5Fget_access_plist(file.id()));
  const haddr_t offset = H5Dget_offset(dataset_.id());
  void* descriptor = nullptr;
  if (element_ != Element::other && H5Tequal(type.id(), memory_type(element_)) > 0 &&
      H5Pget_layout(creation.id()) == H5D_CONTIGUOUS && offset != HADDR_UNDEF &&
      H5Pget_driver(access.id()) == H5FD_SEC2 &&
      H5Fget_vfd_handle(file.id(), access.id(), &descriptor) >= 0) {
    descriptor_ = *static_cast<const int*>(descriptor);
    offset_ = static_cast<std::int64_t>(offset);
  }
}

std::int64_t Array::size() const noexcept { return product(shape_); }

std::vector<std::int64_t> Array::chunk_shape() const {
  const Session session;
  const Handle creation(H5Dget_create_plist(dataset_.id()));
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED) return {};
  std::vector<hsize_t> sizes(shape_.size());
  if (H5Pget_chunk(creation.id(), static_cast<int>(sizes.size()), sizes.data()) < 0) {
    throw FileError(where() + ": damaged");
  }
  return {sizes.begin(), sizes.end()};
}

bool Array::has_slow_rows() const {
  const std::size_t bytes = element_ == Element::int64 ? 8 : 4;
  return static_cast<std::size_t>(size()) * bytes > kCacheBytes && !chunk_shape().empty();
}

std::string Array::storage_text() const {
  const std::vector<std::int64_t> chunks = chunk_shape();
  if (chunks.empty()) return "contiguous";
  const Session session;
  const Handle creation(H5Dget_create_plist(dataset_.id()));
  const Handle type(H5Dget_type(dataset_.id()));
  const double whole = static_cast<double>(size()) * static_cast<double>(H5Tget_size(type.id()));
  const auto stored = static_cast<double>(H5Dget_storage_size(dataset_.id()));
  return fmt::format("chunks of {}{}, {:.1f} % of its size", shape_text(chunks),
                     filters_text(creation.id()), 100 * stored / std::max(whole, 1.0));
}

std::int64_t Array::row_size() const noexcept {
  return product(std::span(shape_).subspan(std::min<std::size_t>(1, shape_.size())));
}

void Array::expect(Element element, std::initializer_list<std::int64_t> shape,
                   std::string_view dimensions) const {
  const auto fits = [](std::int64_t expected, std::int64_t found) {
    return expected == kAnySize || expected == found;
  };
  if (element_ != element ||
      !std::equal(shape.begin(), shape.end(), shape_.begin(), shape_.end(), fits)) {
    throw FileError(fmt::format("{}: expected {} {}, found {} {}", where(), element_text(element),
                                dimensions, type_text_, shape_text(shape_)));
  }
}

void Array::read(std::int64_t first, std::int64_t count, std::span<float> out) const {
  read_rows(first, count, Element::float32, out.size(), out.data());
}

void Array::read(std::int64_t first, std::int64_t count, std::span<std::int32_t> out) const {
  read_rows(first, count, Element::int32, out.size(), out.data());
}

void Array::read(std::int64_t first, std::int64_t count, std::span<std::int64_t> out) const {
  read_rows(first, count, Element::int64, out.size(), out.data());
}

void Array::read_rows(std::int64_t first, std::int64_t count, Element element, std::size_t size,
                      void* out) const {
  const std::int64_t rows = shape_.empty() ? 1 : shape_.front();
  if (element != element_ || first < 0 || count < 0 || first > rows - count ||
      size != static_cast<std::size_t>(count * row_size())) {
    throw InvalidArgument(
        fmt::format("{}: cannot read {} values as {} of rows {} to {}, found {} {}", where(), size,
                    element_text(element), first, first + count, type_text_, shape_text(shape_)));
  }
  if (size == 0) return;
  if (descriptor_ >= 0) {
    const std::size_t element_bytes = element == Element::int64 ? 8 : 4;
    const auto skipped = static_cast<std::size_t>(first * row_size()) * element_bytes;
    read_directly(offset_ + static_cast<std::int64_t>(skipped), size * element_bytes, out);
  } else {
    read_converted(first, count, out);
  }
}

std::vector<float> Array::read_floats() const {
  if (element_ != Element::float32 || shape_.empty()) {
    throw FileError(fmt::format("{}: expected float32 in at least one dimension, found {} {}",
                                where(), type_text_, shape_text(shape_)));
  }
  std::vector<float> values(static_cast<std::size_t>(size()));
  read(0, shape_.front(), values);
  return values;
}

// A batch of shuffled rows is many small reads; one through H5Dread costs ten times this.
void Array::read_directly(std::int64_t offset, std::size_t bytes, void* out) const {
  auto* next = static_cast<std::byte*>(out);
  while (bytes > 0) {
    const ::ssize_t got = ::pread(descriptor_, next, bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw FileError(fmt::format("{}: {}", where(), std::generic_category().message(errno)));
    }
    if (got == 0) throw FileError(where() + ": the file ends before its data does");
    next += got;
    offset += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

void Array::read_converted(std::int64_t first, std::int64_t count, void* out) const {
  const Session session;
  const Handle file_space(H5Dget_space(dataset_.id()));
  std::vector<hsize_t> extent(shape_.begin(), shape_.end());
  if (!shape_.empty()) {
    std::vector<hsize_t> start(shape_.size(), 0);
    start.front() = static_cast<hsize_t>(first);
    extent.front() = static_cast<hsize_t>(count);
    H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(),
                        nullptr);
  }
  const Handle memory_space(
      H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  if (H5Dread(dataset_.id(), memory_type(element_), memory_space.id(), file_space.id(), H5P_DEFAULT,
              out) < 0) {
    throw FileError(where() + ": cannot be read: the file is damaged");
  }
}

std::string Array::where() const { return fmt::format("{}: dataset '{}'", path_.string(), name_); }

}  // namespace quadgate::hdf5
