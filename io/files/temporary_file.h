#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace quadgate {

/// Throws FileError "PATH: cannot be written: No space left on device", `error` being an errno.
[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error);

/// The file `path`.tmp, which is to take the place of `path` when it is whole, and is removed
/// otherwise. Throws FileError, which names `path` and the reason.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// Where it is until it is renamed.
  const std::filesystem::path& temporary_path() const noexcept { return temporary_; }
  void write(std::span<const std::byte> bytes);
  /// Until the data are on the disk, a rename must not be.
  void sync_and_close();
  /// Renames it to `path`, and syncs the folder.
  void rename();

 private:
  int close();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace quadgate
