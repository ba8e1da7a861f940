#include "io/hdf5/reader_service.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/base/error.h"
#include "io/files/checksum.h"
#include "io/files/load.h"
#include "io/hdf5/library_lock.h"
#include "io/hdf5/lzf_filter.h"
#include "io/hdf5/object_codec.h"
#include "io/hdf5/reader_request.h"

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

herr_t add_link_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// H5Lexists fails, rather than denies, where a group on the way is missing.
bool is_linked(const Handle& file, const std::string& name) {
  for (std::size_t end = name.find('/');; end = name.find('/', end + 1)) {
    if (H5Lexists(file.id(), name.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

/// With room for some of its chunks.
Handle open_dataset(const Handle& file, const std::string& name) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  constexpr std::size_t kSlots = 65'537;  // of chunks, better more than there are
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.id(), kSlots, kBytes, 0);
  return Handle(H5Dopen2(file.id(), name.c_str(), access.id()));
}

herr_t find_version(unsigned, const H5E_error2_t* error, void* is_newer) {
  if (std::string_view(error->desc).starts_with("bad version number")) {
    *static_cast<bool*>(is_newer) = true;
  }
  return 0;
}

/// Why an object cannot be opened. Only right after the call that failed.
std::string problem_of_object() {
  bool is_newer = false;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_version, &is_newer);
  if (!is_newer) return "damaged, or a link to another file";
  return fmt::format(
      "expected the format of HDF5 {}.{}, found a newer one (as h5py writes a boolean or complex "
      "attribute or filtered chunks with libver=\"latest\"): write it with libver=\"v110\"",
      H5_VERS_MAJOR, H5_VERS_MINOR);
}

ObjectKind kind_of(const Handle& object) {
  switch (H5Iget_type(object.id())) {
    case H5I_GROUP:
      return ObjectKind::group;
    case H5I_DATASET:
      return ObjectKind::dataset;
    default:
      return ObjectKind::other;
  }
}

/// Opens the file of a descriptor, whose name is `place`. HDF5 looks for what a link stands for,
/// which a file in memory does not have: it gets a copy of its bytes.
Handle open_file_at(const std::string& place, int descriptor) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_sec2(access.id());
  H5Pset_file_locking(access.id(), false, true);  // network file systems often have no locks
  struct ::stat status {};
  if (::fstat(descriptor, &status) != 0 || status.st_nlink > 0) {
    return Handle(H5Fopen(place.c_str(), H5F_ACC_RDONLY, access.id()));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  const ::ssize_t size = ::pread(descriptor, bytes.data(), bytes.size(), 0);
  if (std::cmp_not_equal(size, bytes.size())) return Handle();
  constexpr std::size_t kStep = std::size_t{1} << 16;
  H5Pset_fapl_core(access.id(), kStep, false);
  H5Pset_file_image(access.id(), bytes.data(), bytes.size());
  return Handle(H5Fopen("image", H5F_ACC_RDONLY, access.id()));
}

}  // namespace

ReaderService::ReaderService(int descriptor, std::filesystem::path path) : path_(std::move(path)) {
  const bool has_checksum = check_checksum(descriptor, path_);
  const LibraryLock lock;
  // What a file says must not make the library read others, or run code from elsewhere.
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
  register_lzf();
  std::string place = fmt::format("/proc/self/fd/{}", descriptor);
  if (std::error_code error; !std::filesystem::exists(place, error)) place = path_;  // no /proc
  if (H5Fis_hdf5(place.c_str()) <= 0) {
    throw FileError(fmt::format("{}: expected an HDF5 file, found another kind", path_.string()));
  }
  file_ = open_file_at(place, descriptor);
  check(file_.id(),
        [&] { return fmt::format("{}: the HDF5 file is damaged or truncated", path_.string()); });
  if (!has_checksum && H5Aexists_by_name(file_.id(), "/", kChecksumAttribute, H5P_DEFAULT) > 0) {
    throw FileError(fmt::format("{}: damaged, or changed by another program: its checksum is gone",
                                path_.string()));
  }
}

void ReaderService::answer(std::span<const std::byte> request, std::vector<std::byte>& answer) {
  if (request.size() < sizeof(ReaderRequest)) throw std::length_error("a request that was cut off");
  const auto head = load<ReaderRequest>(request.data());
  const auto text = request.subspan(sizeof head);
  const std::string name(reinterpret_cast<const char*>(text.data()), text.size());
  if (head.task == ReaderTask::describe) {
    answer = encode(describe(name));
  } else {
    read(name, head.first, head.count, answer);
  }
}

Object ReaderService::describe(const std::string& name) const {
  const LibraryLock lock;
  Object object;
  if (!name.empty() && !is_linked(file_, name)) return object;
  const Handle handle(H5Oopen(file_.id(), or_root(name), H5P_DEFAULT));
  const auto damaged = [&] { return object_text(path_, name) + ": " + problem_of_object(); };
  check(handle.id(), damaged);
  object.kind = kind_of(handle);
  check(H5Aiterate2(handle.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add_attribute,
                    &object.attributes),
        damaged);
  if (object.kind == ObjectKind::group) {
    check(H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_link_name,
                     &object.members),
          damaged);
    std::ranges::sort(object.members);
  }
  if (object.kind == ObjectKind::dataset) object.dataset = describe_dataset(name, handle);
  return object;
}

DatasetInfo ReaderService::describe_dataset(const std::string& name, const Handle& dataset) const {
  const Handle space(H5Dget_space(dataset.id()));
  const Handle type(H5Dget_type(dataset.id()));
  const Handle creation(H5Dget_create_plist(dataset.id()));
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(creation.id()) > 0) {
    throw FileError(
        fmt::format("{}: dataset '{}': expected its values in this file, found them in others",
                    path_.string(), name));
  }
  if (const auto filter = missing_filter(creation.id())) {
    throw FileError(
        fmt::format("{}: dataset '{}': expected chunks as they are or compressed by gzip or lzf, "
                    "found filter {}",
                    path_.string(), name, *filter));
  }
  DatasetInfo info;
  info.type_text = name_type(type.id());
  info.shape = shape_of(space);
  info.element = element_of(info.type_text);
  info.element_bytes = static_cast<std::int64_t>(H5Tget_size(type.id()));
  info.stored_bytes = static_cast<std::int64_t>(H5Dget_storage_size(dataset.id()));
  H5O_info_t object{};
  check(H5Oget_info2(dataset.id(), &object, H5O_INFO_BASIC),
        [&] { return fmt::format("{}: dataset '{}': damaged", path_.string(), name); });
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

void ReaderService::read(const std::string& name, std::int64_t first, std::int64_t count,
                         std::vector<std::byte>& out) {
  const LibraryLock lock;
  Handle& dataset = datasets_[name];
  if (dataset.id() < 0) dataset = open_dataset(file_, name);
  const Handle type(H5Dget_type(dataset.id()));
  const Handle file_space(H5Dget_space(dataset.id()));
  const Element element = element_of(name_type(type.id()));
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
  check(H5Dread(dataset.id(), memory_type(element), memory_space.id(), file_space.id(), H5P_DEFAULT,
                out.data()),
        [&] {
          return fmt::format("{}: dataset '{}': cannot be read: the file is damaged",
                             path_.string(), name);
        });
}

}  // namespace quadgate::hdf5
