#include "io/files/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "io/files/read_at.h"
#include "io/files/temporary_file.h"

namespace quadgate {
namespace {

/// A file without a name beside `output`.
int open_unnamed(const std::filesystem::path& output) {
  const auto folder = output.has_parent_path() ? output.parent_path() : std::filesystem::path(".");
  int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    // A file system without such files: one with a name, for a moment.
    std::string name = output.string() + ".XXXXXX";
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor >= 0) ::unlink(name.c_str());
  }
  if (descriptor < 0) fail_to_write(output, errno);
  return descriptor;
}

}  // namespace

Spool::Spool(SpoolOptions options) : options_(std::move(options)) {}

Spool::~Spool() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Spool::Spool(Spool&& other) noexcept
    : options_(std::move(other.options_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      flushed_(std::exchange(other.flushed_, 0)),
      buffer_(std::move(other.buffer_)) {}

Spool& Spool::operator=(Spool&& other) noexcept {
  std::swap(options_, other.options_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(flushed_, other.flushed_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

void Spool::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (buffer_.size() >= options_.buffer_size) flush();
    const std::size_t room = std::max<std::size_t>(options_.buffer_size - buffer_.size(), 1);
    const auto part = bytes.first(std::min(room, bytes.size()));
    buffer_.insert(buffer_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
  }
}

void Spool::flush() {
  write_at(flushed_, buffer_);
  buffer_.clear();
}

void Spool::write(std::int64_t offset, std::span<const std::byte> bytes) {
  flush();
  write_at(offset, bytes);
}

void Spool::write_at(std::int64_t offset, std::span<const std::byte> bytes) {
  if (descriptor_ < 0) descriptor_ = open_unnamed(options_.output);
  while (!bytes.empty()) {
    const ::ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(options_.output, errno);
    offset += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  flushed_ = std::max(flushed_, offset);
}

std::size_t Spool::read(std::int64_t offset, std::span<std::byte> out) const {
  const auto flushed = static_cast<std::size_t>(std::max<std::int64_t>(flushed_ - offset, 0));
  const auto on_disk = out.first(std::min(out.size(), flushed));
  if (!on_disk.empty()) {
    const auto got = read_at(descriptor_, offset, on_disk);
    if (got != on_disk.size()) fail_to_write(options_.output, got ? EIO : errno);
  }
  const auto in_memory = out.subspan(on_disk.size());
  const auto skipped = static_cast<std::size_t>(std::max<std::int64_t>(offset - flushed_, 0));
  const std::span<const std::byte> buffer(buffer_);
  const auto rest = buffer.subspan(std::min(skipped, buffer.size()));
  const std::size_t size = std::min(in_memory.size(), rest.size());
  std::ranges::copy(rest.first(size), in_memory.begin());
  return on_disk.size() + size;
}

void SpoolReader::fill() {
  constexpr std::size_t kSize = std::size_t{1} << 17;
  buffer_.resize(kSize);
  buffer_.resize(spool_->read(offset_, buffer_));
  if (buffer_.empty()) throw InvalidArgument("a spool is read beyond its end");
  offset_ += static_cast<std::int64_t>(buffer_.size());
  begin_ = 0;
}

void SpoolReader::read(std::span<std::byte> out) {
  while (!out.empty()) {
    if (begin_ == buffer_.size()) fill();
    const std::size_t count = std::min(out.size(), buffer_.size() - begin_);
    std::memcpy(out.data(), buffer_.data() + begin_, count);
    begin_ += count;
    out = out.subspan(count);
  }
}

void SpoolReader::skip(std::int64_t bytes) {
  const auto buffered = static_cast<std::int64_t>(buffer_.size() - begin_);
  begin_ += static_cast<std::size_t>(std::min(bytes, buffered));
  offset_ += std::max(bytes - buffered, std::int64_t{0});
}

void SpooledFloats::Reader::read(std::span<double> out) {
  if (width_ == kDouble) {
    bytes_.read(std::as_writable_bytes(out));
    return;
  }
  if (width_ == kFloat) {
    floats_.resize(out.size());
    bytes_.read(std::as_writable_bytes(std::span(floats_)));
    std::ranges::copy(floats_, out.begin());
    return;
  }
  static const auto fractions = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 255.0F;
    return values;
  }();
  scratch_.resize(out.size());
  bytes_.read(scratch_);
  std::ranges::transform(scratch_, out.begin(), [](std::byte byte) {
    return fractions[std::to_integer<std::size_t>(byte)];
  });
}

}  // namespace quadgate
