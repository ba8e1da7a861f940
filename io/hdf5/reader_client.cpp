#include "io/hdf5/reader_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "io/files/network_disk.h"
#include "io/hdf5/object_codec.h"
#include "io/hdf5/reader_command.h"
#include "io/hdf5/reader_request.h"

namespace quadgate::hdf5 {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kMostDescription = 1024 * kMiB;

// How much more than its stored bytes a dataset may be: deflate's most, and for those of which
// HDF5 stores only what was written.
constexpr std::int64_t kMostUnpacked = 1032;
constexpr std::int64_t kMostUnwritten = 8;

int open_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0) return descriptor;
  throw FileError(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
}

/// A file without a name that holds these bytes.
int file_of(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  const int descriptor = ::memfd_create("quadgate", MFD_CLOEXEC);
  while (descriptor >= 0 && !bytes.empty()) {
    const ::ssize_t done = ::write(descriptor, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) break;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  if (descriptor >= 0 && bytes.empty()) return descriptor;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  throw FileError(fmt::format("{}: {}", path.string(), std::generic_category().message(error)));
}

/// Of a file on a disk: others, pipes say, may let a reader wait for ever.
std::int64_t size_of_file(int descriptor, const std::filesystem::path& path) {
  struct ::stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    return static_cast<std::int64_t>(status.st_size);
  }
  throw FileError(fmt::format("{}: expected an HDF5 file, found another kind", path.string()));
}

std::vector<std::byte> message(const ReaderRequest& request, const std::string& name) {
  std::vector<std::byte> bytes(sizeof request + name.size());
  std::memcpy(bytes.data(), &request, sizeof request);
  std::ranges::copy(std::as_bytes(std::span(name)), bytes.begin() + sizeof request);
  return bytes;
}

/// At most, what reading any rows of a dataset makes of its chunks.
std::int64_t unpacked_bytes(const DatasetInfo& dataset, std::int64_t file_size) {
  if (dataset.chunk_shape.empty()) return 0;
  const std::int64_t elements = std::max(product(dataset.shape), product(dataset.chunk_shape));
  return std::min(elements * dataset.element_bytes, kMostUnpacked * file_size);
}

/// Throws Unfit if the file is too small for the dataset.
void check_size(const DatasetInfo& dataset, std::int64_t file_size) {
  const std::int64_t bytes = product(dataset.shape) * dataset.element_bytes;
  const std::int64_t ratio = dataset.offset >= 0            ? 1
                             : dataset.filters_text.empty() ? kMostUnwritten
                                                            : kMostUnpacked;
  if (bytes / ratio > file_size - std::max<std::int64_t>(0, dataset.offset)) {
    throw Unfit(fmt::format("too large for a file of {} bytes: {} {}", file_size, dataset.type_text,
                            shape_text(dataset.shape)));
  }
}

}  // namespace

ReaderClient::ReaderClient(const std::filesystem::path& path, std::chrono::milliseconds patience,
                           bool reads_nothing_itself)
    : ReaderClient(open_file(path), path, patience, reads_nothing_itself) {}

ReaderClient::ReaderClient(std::span<const std::byte> image, const std::filesystem::path& path)
    : ReaderClient(file_of(image, path), path, ChildProcess::kPatience, false) {}

ReaderClient::ReaderClient(int descriptor, std::filesystem::path path,
                           std::chrono::milliseconds patience, bool reads_nothing_itself)
    : path_(std::move(path)),
      descriptor_(descriptor),
      reads_nothing_itself_(reads_nothing_itself || is_on_network_disk(descriptor_)) {
  try {
    file_size_ = size_of_file(descriptor_, path_);
    child_ = std::make_unique<ChildProcess>(path_.string(), reader_program(),
                                            reader_arguments(path_), descriptor_, patience);
    object("");
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ReaderClient::~ReaderClient() { ::close(descriptor_); }

const Object& ReaderClient::object(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = objects_.find(name);
  if (found != objects_.end()) return found->second;
  const std::int64_t most_bytes = std::min(kMiB + 16 * file_size_, kMostDescription);
  try {
    Object object = decode(child_->call(message({.task = ReaderTask::describe}, name),
                                        limits(most_bytes), most_bytes));
    check_size(object.dataset, file_size_);
    if (reads_nothing_itself_) object.dataset.offset = -1;
    return objects_.emplace(name, std::move(object)).first->second;
  } catch (const Unfit& error) {
    throw FileError(fmt::format("{}: {}", object_text(path_, name), error.what()));
  }
}

void ReaderClient::read(const std::string& name, const DatasetInfo& dataset, std::int64_t first,
                        std::int64_t count, std::span<std::byte> out) {
  if (dataset.offset >= 0) {
    if (read_directly(dataset.offset + first * (std::ssize(out) / count), out)) return;
    throw FileError(
        fmt::format("{}: dataset '{}': the file ends before its data does", path_.string(), name));
  }
  const std::scoped_lock lock(mutex_);
  const auto ask = [&](std::int64_t row, std::int64_t rows, std::span<std::byte> values) {
    ask_for_rows(name, dataset, row, rows, values);
  };
  ChunkCache* cache = cache_of(dataset);
  cache != nullptr ? cache->copy(first, count, out, std::ref(ask)) : ask(first, count, out);
}

bool ReaderClient::keeps(const DatasetInfo& dataset) {
  const std::scoped_lock lock(mutex_);
  return cache_of(dataset) != nullptr;
}

// Rows that are read at once and kept: those of a chunk, or 1 MB of a network disk. 0: none are.
std::int64_t ReaderClient::kept_together(const DatasetInfo& dataset) const noexcept {
  if (!dataset.chunk_shape.empty()) return dataset.chunk_shape.front();
  if (!reads_nothing_itself_ || dataset.shape.empty()) return 0;
  const std::int64_t row_bytes =
      product(std::span(dataset.shape).subspan(1)) * dataset.element_bytes;
  return std::max<std::int64_t>(1, kMiB / std::max<std::int64_t>(1, row_bytes));
}

// Null if its rows are not kept. The answer stays the same.
ChunkCache* ReaderClient::cache_of(const DatasetInfo& dataset) {
  const std::int64_t together = kept_together(dataset);
  if (together == 0) return nullptr;
  const std::int64_t rows = dataset.shape.front();
  const std::int64_t bytes =
      product(dataset.shape) * static_cast<std::int64_t>(size_of(dataset.element));
  const auto [room, is_new] = caches_.try_emplace({dataset.address, rows, bytes});
  if (is_new && bytes > 0 && ChunkCache::has_room(bytes)) {
    room->second = std::make_unique<ChunkCache>(rows, bytes / rows, together);
  }
  return room->second.get();
}

void ReaderClient::ask_for_rows(const std::string& name, const DatasetInfo& dataset,
                                std::int64_t first, std::int64_t count, std::span<std::byte> out) {
  child_->call_into(message({.task = ReaderTask::read_rows, .first = first, .count = count}, name),
                    limits(std::ssize(out) + unpacked_bytes(dataset, file_size_)), out);
}

// To answer with so many bytes, or to go through them.
child::AnswerLimits ReaderClient::limits(std::int64_t work_bytes) const noexcept {
  constexpr std::int64_t kBytesPerMillisecond = 1 << 14;  // far less than inflating gives
  constexpr std::int64_t kLibraryBytes = 256 * kMiB;      // its own, and what it caches
  return {.cpu_milliseconds = 500 + (file_size_ + work_bytes) / kBytesPerMillisecond,
          .memory_bytes = kLibraryBytes + 16 * file_size_ + 4 * work_bytes};
}

// False if the file ends before these bytes. A batch of shuffled rows is many small reads; one
// through HDF5 costs ten times this.
bool ReaderClient::read_directly(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ::ssize_t got = ::pread(descriptor_, out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw FileError(
          fmt::format("{}: {}", path_.string(), std::generic_category().message(errno)));
    }
    if (got == 0) return false;
    offset += got;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace quadgate::hdf5
