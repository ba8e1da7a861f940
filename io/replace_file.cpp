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

// The temporary file next to `path`; removed unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path)
      : path_(path),
        temporary_(path.string() + ".tmp"),
        descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail(path_, errno);
  }
  ~TemporaryFile() {
    close();
    if (!renamed_) ::unlink(temporary_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  // Until the data are on the disk, a rename must not be.
  void sync_and_close() {
    if (::fsync(descriptor_) != 0) fail(path_, errno);
    if (close() != 0) fail(path_, errno);
  }

  void rename() {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, errno);
    renamed_ = true;
  }

 private:
  int close() {
    const int status = descriptor_ < 0 ? 0 : ::close(descriptor_);
    descriptor_ = -1;
    return status;
  }

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_;
  bool renamed_ = false;
};

// Some file systems cannot sync folders; the renames are then theirs to keep.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous) {
  if (std::filesystem::is_directory(path)) fail(path, EISDIR);
  TemporaryFile file(path);
  file.write(bytes);
  file.sync_and_close();
  if (previous && std::rename(path.c_str(), previous->c_str()) != 0 && errno != ENOENT) {
    fail(*previous, errno);
  }
  file.rename();
  sync_folder(path);
}

}  // namespace quadgate
