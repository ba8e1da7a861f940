#include "io/files/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "engine/base/error.h"

namespace quadgate {
namespace {

// Some file systems cannot sync folders; the renames are then theirs to keep.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void fail_to_write(const std::filesystem::path& path, int error) {
  throw FileError(fmt::format("{}: cannot be written: {}", path.string(),
                              std::generic_category().message(error)));
}

TemporaryFile::TemporaryFile(const std::filesystem::path& path)
    : path_(path), temporary_(path.string() + ".tmp") {
  if (std::filesystem::is_directory(path)) fail_to_write(path, EISDIR);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(path_, errno);
}

TemporaryFile::~TemporaryFile() {
  close();
  if (!renamed_) ::unlink(temporary_.c_str());
}

void TemporaryFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void TemporaryFile::sync_and_close() {
  if (::fsync(descriptor_) != 0) fail_to_write(path_, errno);
  if (close() != 0) fail_to_write(path_, errno);
}

void TemporaryFile::rename() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  renamed_ = true;
  sync_folder(path_);
}

int TemporaryFile::close() {
  const int status = descriptor_ < 0 ? 0 : ::close(descriptor_);
  descriptor_ = -1;
  return status;
}

}  // namespace quadgate
