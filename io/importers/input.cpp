#include "io/importers/input.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {

void Input::Close::operator()(gzFile_s* file) const noexcept { ::gzclose_r(file); }

Input::Input(std::filesystem::path path, ProgressObserver observer)
    : path_(std::move(path)), observer_(std::move(observer)) {
  errno = 0;
  file_.reset(::gzopen(path_.c_str(), "rb"));
  if (!file_ && errno == EINTR) tell_progress();
  if (!file_) {
    throw FileError(fmt::format("{}: {}", path_.string(),
                                std::generic_category().message(errno != 0 ? errno : ENOMEM)));
  }
  constexpr unsigned kZipBuffer = 1U << 18;
  ::gzbuffer(file_.get(), kZipBuffer);
  std::error_code error;
  const bool has_size = std::filesystem::is_regular_file(path_, error);
  file_size_ = has_size ? static_cast<std::int64_t>(std::filesystem::file_size(path_, error)) : 0;
}

std::size_t Input::read(std::span<char> out) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in unsigned int
  errno = 0;
  const int got =
      ::gzread(file_.get(), out.data(), static_cast<unsigned>(std::min(out.size(), kMost)));
  if (got <= 0) {
    int status = Z_OK;
    const std::string reason = ::gzerror(file_.get(), &status);
    const auto fail = [&](const std::string& what) {
      throw FileError(fmt::format("{}: {}", path_.string(), what));
    };
    const int error = errno;
    if (status == Z_ERRNO && error == EINTR) tell_progress();  // whose observer may end the work
    if (status == Z_ERRNO) fail(std::generic_category().message(error));
    if (status == Z_BUF_ERROR) fail("the gzip file is truncated");
    if (status != Z_OK) fail("the gzip file is damaged: " + reason);
  }
  tell_progress();
  return static_cast<std::size_t>(std::max(got, 0));
}

void Input::tell_progress() const {
  if (!observer_) return;
  observer_({.action = "reading",
             .path = path_,
             .done = file_ ? std::max<std::int64_t>(::gzoffset(file_.get()), 0) : 0,
             .total = file_size_});
}

}  // namespace quadgate
