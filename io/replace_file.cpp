#include "io/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "engine/error.h"

namespace quadgate {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw FileError(fmt::format("{}: cannot be written: {}", path.string(),
                              std::generic_category().message(error)));
}

// Some file systems cannot sync folders; the renames are then theirs to keep.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

PendingFile::PendingFile(const std::filesystem::path& path)
    : path_(path),
      temporary_(path.string() + ".tmp"),
      descriptor_(std::filesystem::is_directory(path)
                      ? -1
                      : ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail(path_, std::filesystem::is_directory(path) ? EISDIR : errno);
}

PendingFile::~PendingFile() {
  close();
  if (!done_) ::unlink(temporary_.c_str());
}

void PendingFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PendingFile::commit(const std::optional<std::filesystem::path>& previous) {
  // Until the data are on the disk, a rename must not be.
  if (::fsync(descriptor_) != 0) fail(path_, errno);
  if (close() != 0) fail(path_, errno);
  if (previous && std::rename(path_.c_str(), previous->c_str()) != 0 && errno != ENOENT) {
    fail(*previous, errno);
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, errno);
  done_ = true;
  sync_folder(path_);
}

int PendingFile::close() {
  const int status = descriptor_ < 0 ? 0 : ::close(descriptor_);
  descriptor_ = -1;
  return status;
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous) {
  PendingFile file(path);
  file.write(bytes);
  file.commit(previous);
}

}  // namespace quadgate
