#include "io/hdf5/reader_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "io/files/checksum.h"
#include "io/files/load.h"
#include "io/files/read_at.h"
#include "io/hdf5/attribute_reader.h"
#include "io/hdf5/dataset_reader.h"
#include "io/hdf5/file_driver.h"
#include "io/hdf5/library_lock.h"
#include "io/hdf5/lzf_filter.h"
#include "io/hdf5/object_codec.h"
#include "io/hdf5/reader_request.h"

namespace quadgate::hdf5 {
namespace {

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

/// Whether an HDF5 file begins somewhere where one may: at 0, 512, 1024, 2048, ...
bool is_hdf5(int descriptor) {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n");
  constexpr std::int64_t kFirstUserBlock = 512;
  std::array<char, kSignature.size()> found{};
  for (std::int64_t at = 0;; at = std::max(2 * at, kFirstUserBlock)) {
    if (read_at(descriptor, at, std::as_writable_bytes(std::span(found))) != found.size()) {
      return false;
    }
    if (std::ranges::equal(found, kSignature)) return true;
  }
}

Handle open_descriptor_as_file(int descriptor) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  use_read_driver(access.id(), descriptor);
  return Handle(H5Fopen("descriptor", H5F_ACC_RDONLY, access.id()));
}

}  // namespace

ReaderService::ReaderService(int descriptor, std::filesystem::path path) : path_(std::move(path)) {
  const bool has_checksum = check_checksum(descriptor, path_);
  const LibraryLock lock;
  // What a file says must not make the library read others, or run code from elsewhere.
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
  register_lzf();
  if (!is_hdf5(descriptor)) {
    throw FileError(fmt::format("{}: expected an HDF5 file, found another kind", path_.string()));
  }
  file_ = open_descriptor_as_file(descriptor);
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
    const LibraryLock lock;
    Handle& dataset = datasets_[name];
    if (dataset.id() < 0) dataset = open_dataset(file_, name);
    read_rows(dataset, head.first, head.count, dataset_text(name), answer);
  }
}

std::string ReaderService::dataset_text(const std::string& name) const {
  return fmt::format("{}: dataset '{}'", path_.string(), name);
}

Object ReaderService::describe(const std::string& name) const {
  const LibraryLock lock;
  Object object;
  if (!name.empty() && !is_linked(file_, name)) return object;
  const Handle handle(H5Oopen(file_.id(), or_root(name), H5P_DEFAULT));
  const auto damaged = [&] { return object_text(path_, name) + ": " + problem_of_object(); };
  check(handle.id(), damaged);
  object.kind = kind_of(handle);
  auto attributes = read_attributes(handle);
  if (!attributes) throw FileError(damaged());
  object.attributes = std::move(*attributes);
  if (object.kind == ObjectKind::group) {
    check(H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_link_name,
                     &object.members),
          damaged);
    std::ranges::sort(object.members);
  }
  if (object.kind == ObjectKind::dataset)
    object.dataset = describe_dataset(handle, dataset_text(name));
  return object;
}

}  // namespace quadgate::hdf5
