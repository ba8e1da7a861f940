#include "io/hdf5_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/hdf5_session.h"

namespace quadgate::hdf5 {
namespace {

constexpr std::int64_t kChunkBytes = 1 << 19;
constexpr unsigned kGzipLevel = 4;

/// Says that a file could not be written, and why, if the system did.
[[noreturn]] void fail_write(const std::string& where, int error) {
  throw FileError(where + ": cannot be written" +
                  (error == 0 ? "" : ": " + std::generic_category().message(error)));
}

/// HDF5 reads numbers of all machines; it writes those of x86.
hid_t file_type(Element element) {
  if (element == Element::float32) return H5T_IEEE_F32LE;
  return element == Element::int32 ? H5T_STD_I32LE : H5T_STD_I64LE;
}

/// Chunks of whole rows of about kChunkBytes; rows that are longer are cut.
std::vector<hsize_t> chunk_shape(std::span<const std::int64_t> shape, std::size_t element_size) {
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  auto left = static_cast<hsize_t>(kChunkBytes) / element_size;
  for (auto size = chunk.rbegin(); size != chunk.rend(); ++size) {
    *size = std::clamp<hsize_t>(*size, 1, left);
    left = std::max<hsize_t>(left / *size, 1);
  }
  return chunk;
}

/// Without the time, so that the same content is the same bytes.
Handle creation_properties(std::span<const std::int64_t> shape, std::size_t element_size,
                           Packing packing) {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(properties.id(), false);
  if (packing == Packing::gzip) {
    const std::vector<hsize_t> chunk = chunk_shape(shape, element_size);
    H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(properties.id());
    H5Pset_deflate(properties.id(), kGzipLevel);
  }
  return properties;
}

}  // namespace

RowWriter::RowWriter(File& file, const std::string& name, Element element,
                     std::vector<std::int64_t> shape, Packing packing)
    : where_(fmt::format("{}: dataset '{}'", file.path().string(), name)),
      shape_(std::move(shape)) {
  const Session session;
  const std::vector<hsize_t> extent(shape_.begin(), shape_.end());
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  const hid_t type = file_type(element);
  const Handle properties = creation_properties(shape_, H5Tget_size(type), packing);
  dataset_ = Handle(H5Dcreate2(file.file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT,
                               properties.id(), H5P_DEFAULT));
  if (dataset_.id() < 0) fail_write(where_, 0);
}

template <typename T>
void RowWriter::append_rows(std::span<const T> values, std::int64_t type) {
  if (values.empty()) return;
  const Session session;
  std::vector<hsize_t> count(shape_.begin(), shape_.end());
  std::vector<hsize_t> start(shape_.size(), 0);
  hsize_t row_size = 1;
  for (std::size_t i = 1; i < count.size(); ++i) row_size *= count[i];
  start[0] = static_cast<hsize_t>(row_);
  count[0] = values.size() / row_size;
  const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr));
  const Handle file(H5Dget_space(dataset_.id()));
  errno = 0;
  if (H5Sselect_hyperslab(file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                          nullptr) < 0 ||
      H5Dwrite(dataset_.id(), type, memory.id(), file.id(), H5P_DEFAULT, values.data()) < 0) {
    fail_write(where_, errno);
  }
  row_ += static_cast<std::int64_t>(count[0]);
}

void RowWriter::append(std::span<const float> values) { append_rows(values, H5T_NATIVE_FLOAT); }
void RowWriter::append(std::span<const std::int32_t> values) {
  append_rows(values, H5T_NATIVE_INT32);
}
void RowWriter::append(std::span<const std::int64_t> values) {
  append_rows(values, H5T_NATIVE_INT64);
}

File File::create_on_disk(const std::filesystem::path& path, const std::filesystem::path& name) {
  const Session session;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_sec2(access.id());
  H5Pset_file_locking(access.id(), false, true);  // network file systems often have no locks
  // From version 1.8 of the format on, its metadata carry checksums.
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(creation.id(), false);
  errno = 0;
  Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  if (file.id() < 0) fail_write(name.string(), errno);
  return {name, std::move(file)};
}

void File::flush() {
  const Session session;
  errno = 0;
  if (H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) < 0) fail_write(path_.string(), errno);
}

}  // namespace quadgate::hdf5
