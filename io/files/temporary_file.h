#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace quadgate {

/// Throws FileError "PATH: cannot be written: No space left on device", `error` being an errno.
[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error);

/// A file beside `path` that takes its place when it is whole, and is removed otherwise. Its name,
/// `path`.tmp-PROCESS-NUMBER, is its own: two writers of one path never write into one file, and no
/// link that lies there is followed. Of two that write at the same time the first to be whole
/// stays. Throws FileError, which names `path` and the reason.
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
  /// Renames it to `path`, and syncs the folder. Throws, with that file as it is, if another writer
  /// has put one there since this one began. The file that was there gets the name `previous`,
  /// if given; on file systems with hard links, `path` names a whole file at every moment.
  void rename(const std::optional<std::filesystem::path>& previous = {});

 private:
  /// What tells the file at a path from another one, or from its state after a write.
  using Version = std::array<std::int64_t, 3>;

  static Version version_of(const std::filesystem::path& path) noexcept;
  int close();

  std::filesystem::path path_;
  Version replaces_;  // the file at path_ when this one was made; zeros: none
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

/// Removes the temporary files in `folder` that stopped processes left there. No other process may
/// write into it.
void remove_temporary_files(const std::filesystem::path& folder) noexcept;

}  // namespace quadgate
