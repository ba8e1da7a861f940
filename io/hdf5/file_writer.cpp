#include "io/hdf5/file_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "engine/base/error.h"
#include "io/files/temporary_file.h"
#include "io/hdf5/file_driver.h"
#include "io/hdf5/library_lock.h"
#include "io/hdf5/object.h"

namespace quadgate::hdf5 {
namespace {

Handle utf8_type() {
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

void write_attribute(hid_t file, const std::string& object, const std::string& name, hid_t type,
                     const Handle& space, const void* values, const std::string& where) {
  const Handle attribute(H5Acreate_by_name(file, or_root(object), name.c_str(), type, space.id(),
                                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  const bool is_empty = H5Sget_simple_extent_npoints(space.id()) == 0;
  if (attribute.id() < 0 || (!is_empty && H5Awrite(attribute.id(), type, values) < 0)) {
    throw FileError(where + ": cannot be written");
  }
}

Handle vector_space(std::size_t size) {
  const hsize_t extent = size;
  return Handle(H5Screate_simple(1, &extent, nullptr));
}

/// From version 1.8 of the format on, its metadata carry checksums.
Handle checksummed_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  return access;
}

void write_dataset(hid_t file, const std::string& name, hid_t type,
                   std::span<const std::int64_t> shape, const void* values,
                   const std::string& path) {
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  const Handle dataset(H5Dcreate2(file, name.c_str(), type, space.id(), H5P_DEFAULT,
                                  timeless(H5P_DATASET_CREATE).id(), H5P_DEFAULT));
  if (dataset.id() < 0 || H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    throw FileError(fmt::format("{}: dataset '{}': cannot be written", path, name));
  }
}

}  // namespace

Handle::~Handle() {
  if (id_ < 0) return;
  const LibraryLock lock;
  H5Idec_ref(id_);
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

FileWriter::FileWriter(std::filesystem::path path, Handle file)
    : path_(std::move(path)), file_(std::move(file)) {}
FileWriter::~FileWriter() = default;
FileWriter::FileWriter(FileWriter&& other) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&& other) noexcept = default;

FileWriter FileWriter::create(const std::filesystem::path& path, std::size_t user_block) {
  const LibraryLock lock;
  constexpr std::size_t kIncrement = std::size_t{1} << 22;  // bytes that the image grows by
  // A name of its own that no file can have: HDF5 would read all of one that is there.
  static std::int64_t count = 0;  // under the lock
  const std::string name = fmt::format("/dev/null/{}", count++);
  const Handle access = checksummed_access();
  H5Pset_fapl_core(access.id(), kIncrement, /*backing_store=*/false);
  const Handle creation = timeless(H5P_FILE_CREATE);
  H5Pset_userblock(creation.id(), user_block);
  Handle file(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  check(file.id(), [&] { return fmt::format("{}: cannot be made in memory", path.string()); });
  return {path, std::move(file)};
}

FileWriter FileWriter::create_at(const std::filesystem::path& place,
                                 const std::filesystem::path& path) {
  const LibraryLock lock;
  auto writes = std::make_unique<DiskWrites>();
  const Handle access = checksummed_access();
  use_write_driver(access.id(), *writes);
  Handle handle(
      H5Fcreate(place.c_str(), H5F_ACC_TRUNC, timeless(H5P_FILE_CREATE).id(), access.id()));
  if (handle.id() < 0) fail_to_write(path, writes->error != 0 ? writes->error : EIO);
  FileWriter file(path, std::move(handle));
  file.writes_ = std::move(writes);
  return file;
}

void FileWriter::expect_written() const {
  if (writes_ && writes_->error != 0) fail_to_write(path_, writes_->error);
}

void FileWriter::close() {
  const LibraryLock lock;
  const bool flushed = H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) >= 0;
  file_ = Handle();
  expect_written();
  if (!flushed) fail_to_write(path_, EIO);
}

void FileWriter::abandon() noexcept {
  if (writes_ && writes_->error == 0) writes_->error = ECANCELED;
}

void FileWriter::create_group(const std::string& name) {
  const LibraryLock lock;
  const Handle group(H5Gcreate2(file_.id(), name.c_str(), H5P_DEFAULT,
                                timeless(H5P_GROUP_CREATE).id(), H5P_DEFAULT));
  check(group.id(),
        [&] { return fmt::format("{}: group '{}': cannot be made", path_.string(), name); });
}

void FileWriter::write(const std::string& name, std::span<const std::int64_t> shape,
                       std::span<const float> values) {
  const LibraryLock lock;
  write_dataset(file_.id(), name, H5T_NATIVE_FLOAT, shape, values.data(), path_.string());
}

void FileWriter::write(const std::string& name, std::span<const std::int64_t> shape,
                       std::span<const double> values) {
  const LibraryLock lock;
  write_dataset(file_.id(), name, H5T_NATIVE_DOUBLE, shape, values.data(), path_.string());
}

void FileWriter::write(const std::string& name, std::span<const std::int64_t> shape,
                       std::span<const std::int32_t> values) {
  const LibraryLock lock;
  write_dataset(file_.id(), name, H5T_NATIVE_INT32, shape, values.data(), path_.string());
}

void FileWriter::write(const std::string& name, std::span<const std::int64_t> shape,
                       std::span<const std::int64_t> values) {
  const LibraryLock lock;
  write_dataset(file_.id(), name, H5T_NATIVE_INT64, shape, values.data(), path_.string());
}

void FileWriter::link(const std::string& existing, const std::string& name) {
  const LibraryLock lock;
  check(
      H5Lcreate_hard(file_.id(), existing.c_str(), file_.id(), name.c_str(), H5P_DEFAULT,
                     H5P_DEFAULT),
      [&] { return fmt::format("{}: cannot link '{}' to '{}'", path_.string(), name, existing); });
}

void FileWriter::write_int(const std::string& object, const std::string& name, std::int64_t value) {
  const LibraryLock lock;
  write_attribute(file_.id(), object, name, H5T_NATIVE_INT64, Handle(H5Screate(H5S_SCALAR)), &value,
                  where(object, name));
}

void FileWriter::write_double(const std::string& object, const std::string& name, double value) {
  const LibraryLock lock;
  write_attribute(file_.id(), object, name, H5T_NATIVE_DOUBLE, Handle(H5Screate(H5S_SCALAR)),
                  &value, where(object, name));
}

void FileWriter::write_string(const std::string& object, const std::string& name,
                              const std::string& value) {
  const LibraryLock lock;
  const char* text = value.c_str();
  write_attribute(file_.id(), object, name, utf8_type().id(), Handle(H5Screate(H5S_SCALAR)), &text,
                  where(object, name));
}

void FileWriter::write_strings(const std::string& object, const std::string& name,
                               std::span<const std::string> values) {
  const LibraryLock lock;
  std::vector<const char*> texts(values.size());
  std::ranges::transform(values, texts.begin(), &std::string::c_str);
  write_attribute(file_.id(), object, name, utf8_type().id(), vector_space(values.size()),
                  texts.data(), where(object, name));
}

void FileWriter::write_floats(const std::string& object, const std::string& name,
                              std::span<const float> values) {
  const LibraryLock lock;
  write_attribute(file_.id(), object, name, H5T_NATIVE_FLOAT, vector_space(values.size()),
                  values.data(), where(object, name));
}

void FileWriter::write_doubles(const std::string& object, const std::string& name,
                               std::span<const double> values) {
  const LibraryLock lock;
  write_attribute(file_.id(), object, name, H5T_NATIVE_DOUBLE, vector_space(values.size()),
                  values.data(), where(object, name));
}

std::span<std::byte> FileWriter::image() {
  const LibraryLock lock;
  // H5Fget_file_image would copy it all; its size leaves out the user block.
  void* memory = nullptr;
  const bool good = H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) >= 0 &&
                    H5Fget_vfd_handle(file_.id(), H5P_DEFAULT, &memory) >= 0;
  const ::ssize_t size = good ? H5Fget_file_image(file_.id(), nullptr, 0) : -1;
  if (size < 0) throw FileError(path_.string() + ": cannot be made in memory");
  const Handle creation(H5Fget_create_plist(file_.id()));
  hsize_t user_block = 0;
  H5Pget_userblock(creation.id(), &user_block);
  return {*static_cast<std::byte**>(memory), static_cast<std::size_t>(size) + user_block};
}

std::string FileWriter::where(const std::string& object, const std::string& attribute) const {
  return attribute_text(path_, object, attribute);
}

}  // namespace quadgate::hdf5
