#include "io/hdf5/array_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <numeric>
#include <type_traits>
#include <utility>

#include "engine/base/error.h"
#include "io/files/temporary_file.h"
#include "io/hdf5/library_lock.h"
#include "io/hdf5/object.h"

namespace quadgate::hdf5 {
namespace {

template <typename T>
hid_t memory_type() {
  if (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  return std::is_same_v<T, std::int32_t> ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
}

/// Of about half a MiB: whole rows, or parts of one.
std::vector<hsize_t> chunk_of(std::span<const std::int64_t> shape, std::size_t element_size) {
  const auto most = static_cast<std::int64_t>((std::size_t{1} << 19) / element_size);
  std::vector<hsize_t> chunk;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t inner = product(shape.subspan(i + 1));
    const std::int64_t outer =
        std::accumulate(chunk.begin(), chunk.end(), std::int64_t{1}, std::multiplies<>());
    chunk.push_back(
        static_cast<hsize_t>(std::clamp<std::int64_t>(most / (inner * outer), 1, shape[i])));
  }
  return chunk;
}

}  // namespace

template <typename T>
ArrayWriter<T>::ArrayWriter(const FileWriter& file, const std::string& name,
                            std::vector<std::int64_t> shape, Storage storage)
    : file_(&file),
      name_(name),
      shape_(std::move(shape)),
      row_size_(product(std::span(shape_).subspan(1))),
      buffer_size_((std::size_t{1} << 18) / sizeof(T)) {
  const LibraryLock lock;
  const std::vector<hsize_t> extent(shape_.begin(), shape_.end());
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  const Handle properties = timeless(H5P_DATASET_CREATE);
  if (storage == Storage::gzip) {
    constexpr unsigned kLevel = 4;
    const std::vector<hsize_t> chunk = chunk_of(shape_, sizeof(T));
    H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(properties.id());
    H5Pset_deflate(properties.id(), kLevel);
    buffer_size_ = static_cast<std::size_t>(row_size_) * chunk.front();
  } else {
    H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
  }
  dataset_ = Handle(H5Dcreate2(file.id(), name.c_str(), memory_type<T>(), space.id(), H5P_DEFAULT,
                               properties.id(), H5P_DEFAULT));
  check(dataset_.id(), [&] {
    return fmt::format("{}: dataset '{}': cannot be made", file_->path().string(), name);
  });
  if (storage == Storage::contiguous) {
    void* descriptor = nullptr;
    check(H5Fget_vfd_handle(file.id(), H5P_DEFAULT, &descriptor),
          [&] { return file_->path().string() + ": not a file on the disk"; });
    descriptor_ = *static_cast<const int*>(descriptor);
    offset_ = static_cast<std::int64_t>(H5Dget_offset(dataset_.id()));
  }
  buffer_.reserve(buffer_size_);
}

template <typename T>
void ArrayWriter<T>::flush() {
  if (done_ + std::ssize(buffer_) > product(shape_)) {
    throw InvalidArgument(fmt::format("{}: dataset '{}': expected {} values, found more",
                                      file_->path().string(), name_, product(shape_)));
  }
  descriptor_ >= 0 ? write_directly() : write_chunks();
  done_ += std::ssize(buffer_);
  buffer_.clear();
}

template <typename T>
void ArrayWriter<T>::write_directly() {
  for (auto bytes = std::as_bytes(std::span(buffer_)); !bytes.empty();) {
    const ::ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset_);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(file_->path(), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset_ += written;
  }
}

template <typename T>
void ArrayWriter<T>::write_chunks() {
  const LibraryLock lock;
  const Handle file_space(H5Dget_space(dataset_.id()));
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> extent(shape_.begin(), shape_.end());
  start.front() = static_cast<hsize_t>(done_ / row_size_);
  extent.front() = static_cast<hsize_t>(std::ssize(buffer_) / row_size_);
  H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(),
                      nullptr);
  const Handle memory_space(
      H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  const bool written = H5Dwrite(dataset_.id(), memory_type<T>(), memory_space.id(), file_space.id(),
                                H5P_DEFAULT, buffer_.data()) >= 0;
  file_->expect_written();
  if (!written) fail_to_write(file_->path(), EIO);
}

template <typename T>
void ArrayWriter<T>::finish() {
  if (!buffer_.empty()) flush();
  if (done_ != product(shape_)) {
    throw InvalidArgument(fmt::format("{}: dataset '{}': expected {} values, found {}",
                                      file_->path().string(), name_, product(shape_), done_));
  }
}

template class ArrayWriter<float>;
template class ArrayWriter<std::int32_t>;
template class ArrayWriter<std::int64_t>;

}  // namespace quadgate::hdf5
