#include "io/importers/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::size_t kFirstBytes = 4096;
constexpr std::size_t kZipBuffer = std::size_t{1} << 18;
constexpr std::string_view kGzip = "\x1f\x8b";  // what each part of a gzip file begins with

}  // namespace

void Input::Unzip::operator()(z_stream_s* stream) const noexcept {
  ::inflateEnd(stream);
  delete stream;
}

Input::Input(std::filesystem::path path, ProgressObserver observer)
    : path_(std::move(path)), observer_(std::move(observer)) {
  do {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0 && errno == EINTR) tell_progress();  // whose observer may end the work
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail(std::generic_category().message(errno));
  std::error_code error;
  const bool has_size = std::filesystem::is_regular_file(path_, error);
  file_size_ = has_size ? static_cast<std::int64_t>(std::filesystem::file_size(path_, error)) : 0;
}

Input::~Input() { ::close(descriptor_); }

std::size_t Input::read(std::span<char> out) {
  if (!is_begun_) begin();
  std::size_t got = 0;
  if (unzipper_) {
    got = unzip(out);
  } else {
    got = first_ < buffer_.size() ? take(out) : read_file(out);
  }
  tell_progress();
  return got;
}

bool Input::is_ready() const {
  if (first_ < buffer_.size()) return true;
  pollfd file{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return ::poll(&file, 1, 0) > 0;
}

/// The first bytes tell whether the file is zipped.
void Input::begin() {
  while (buffer_.size() < kGzip.size() && fill(kFirstBytes)) continue;
  is_begun_ = true;
  if (!std::string_view(buffer_.data(), buffer_.size()).starts_with(kGzip)) return;
  unzipper_.reset(new z_stream_s{});
  constexpr int kOfGzip = 16;
  if (::inflateInit2(unzipper_.get(), kOfGzip + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  is_member_open_ = true;
}

std::size_t Input::read_file(std::span<char> out) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, out.data(), out.size());
    if (got >= 0) {
      done_ += got;
      return static_cast<std::size_t>(got);
    }
    const int error = errno;
    if (error != EINTR) fail(std::generic_category().message(error));
    tell_progress();
  }
}

/// Reads at most `size` bytes into the buffer, behind what is left in it. False at the end.
bool Input::fill(std::size_t size) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
  const std::size_t left = buffer_.size();
  buffer_.resize(left + size);
  std::size_t got = 0;
  try {
    got = read_file(std::span(buffer_).subspan(left));
  } catch (...) {
    buffer_.resize(left);
    throw;
  }
  buffer_.resize(left + got);
  return got > 0;
}

/// What is left in the buffer.
std::size_t Input::take(std::span<char> out) {
  const std::size_t size = std::min(out.size(), buffer_.size() - first_);
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(first_), size, out.begin());
  first_ += size;
  return size;
}

std::size_t Input::unzip(std::span<char> out) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in unsigned int
  const auto most = static_cast<unsigned>(std::min(out.size(), kMost));
  z_stream_s& stream = *unzipper_;
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = most;
  while (stream.avail_out == most) {
    if (!is_member_open_ && !begin_member()) break;
    if (first_ == buffer_.size() && !fill(kZipBuffer)) fail("the gzip file is truncated");
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.data() + first_);
    stream.avail_in = static_cast<unsigned>(buffer_.size() - first_);
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    first_ = buffer_.size() - stream.avail_in;
    is_member_open_ = status != Z_STREAM_END;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR) continue;
    fail(fmt::format("the gzip file is damaged: {}",
                     stream.msg != nullptr ? stream.msg : "it needs a dictionary"));
  }
  return most - stream.avail_out;
}

/// The next part of a gzip file. False at the end: what is no gzip behind a part does not count.
bool Input::begin_member() {
  while (buffer_.size() - first_ < kGzip.size() && fill(kZipBuffer)) continue;
  const std::string_view rest(buffer_.data() + first_, buffer_.size() - first_);
  if (!rest.starts_with(kGzip)) return false;
  ::inflateReset(unzipper_.get());
  is_member_open_ = true;
  return true;
}

void Input::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}: {}", path_.string(), problem));
}

void Input::tell_progress() const {
  if (!observer_) return;
  observer_({.action = "reading", .path = path_, .done = done_, .total = file_size_});
}

}  // namespace quadgate
