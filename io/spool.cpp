#include "io/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"

namespace quadgate {
namespace {

// O_TMPFILE needs no name at all, but some file systems do not have it.
int open_unnamed(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string name = folder + "/.quadgate-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

SpoolFile::SpoolFile(const std::filesystem::path& beside)
    : name_(beside.string()),
      descriptor_(open_unnamed(beside.has_parent_path() ? beside.parent_path().string() : ".")) {
  if (descriptor_ < 0) {
    throw FileError(fmt::format("{}: cannot be written: {}", name_,
                                std::generic_category().message(errno)));
  }
}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : name_(std::move(other.name_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void SpoolFile::write(std::int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t done = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      throw FileError(fmt::format("{}: cannot be written: {}", name_,
                                  std::generic_category().message(errno)));
    }
    offset += done;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void SpoolFile::read(std::int64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ::ssize_t done = ::pread(descriptor_, bytes.data(), bytes.size(), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      throw FileError(fmt::format("{}: what was kept beside it cannot be read: {}", name_,
                                  std::generic_category().message(done < 0 ? errno : EIO)));
    }
    offset += done;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

}  // namespace quadgate
