#include "io/files/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::string_view kTemporaryMark = ".tmp-";

/// A name that no other writer has: not in this process, nor in another one of this machine.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<int> count = 0;
  return fmt::format("{}{}{}-{}", path.string(), kTemporaryMark, ::getpid(), count++);
}

/// Some file systems cannot sync folders, or not open them; the renames are then theirs to keep.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error == EIO || error == ENOSPC || error == EDQUOT) fail_to_write(file, error);
}

/// Lets `to` name what `from` names, if anything. On file systems without hard links, `from` no
/// longer does.
void name_also(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto link = temporary_name(to);
  const bool linked = ::link(from.c_str(), link.c_str()) == 0;
  const int error = std::rename(linked ? link.c_str() : from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (linked) ::unlink(link.c_str());      // is still there if both names were of one file already
  if (error == ENOENT && !linked) return;  // there is no file yet
  if (error != 0) fail_to_write(to, error);
}

}  // namespace

void fail_to_write(const std::filesystem::path& path, int error) {
  throw FileError(fmt::format("{}: cannot be written: {}", path.string(),
                              std::generic_category().message(error)));
}

TemporaryFile::TemporaryFile(const std::filesystem::path& path)
    : path_(path), replaces_(version_of(path)) {
  if (std::filesystem::is_directory(path)) fail_to_write(path, EISDIR);
  do {  // a name can be that of a file left by a process with our number
    temporary_ = temporary_name(path);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_to_write(path_, errno);
}

TemporaryFile::~TemporaryFile() {
  close();
  if (!renamed_) ::unlink(temporary_.c_str());
}

TemporaryFile::Version TemporaryFile::version_of(const std::filesystem::path& path) noexcept {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  // The number of a file is no sign: some network file systems make up another one now and then.
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, static_cast<std::int64_t>(status.st_size)};
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

void TemporaryFile::rename(const std::optional<std::filesystem::path>& previous) {
  const Version found = version_of(path_);
  if (found != replaces_ && found != Version{}) {
    throw FileError(
        fmt::format("{}: another process has written it since this one began to; it stays as it is",
                    path_.string()));
  }
  if (previous) name_also(path_, *previous);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  renamed_ = true;
  sync_folder(path_);
}

void remove_temporary_files(const std::filesystem::path& folder) noexcept {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.find(kTemporaryMark) != std::string::npos) ::unlink(entry.path().c_str());
  }
}

int TemporaryFile::close() {
  const int status = descriptor_ < 0 ? 0 : ::close(descriptor_);
  descriptor_ = -1;
  return status;
}

}  // namespace quadgate
