#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace quadgate {

/// A file that is written under another name next to `path` until it is whole.
class PendingFile {
 public:
  /// Makes the file, empty. Throws FileError.
  explicit PendingFile(const std::filesystem::path& path);
  /// Removes the file unless it has taken its place.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  /// Where it is until then.
  const std::filesystem::path& temporary() const noexcept { return temporary_; }
  /// Appends to the file. Throws FileError.
  void write(std::span<const std::byte> bytes);
  /// The file takes its place, once it is on the disk. The file that was there becomes `previous`,
  /// if given. Throws FileError.
  void commit(const std::optional<std::filesystem::path>& previous = {});

 private:
  int close();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_;
  bool done_ = false;
};

/// Makes `bytes` the content of `path`, wholly or not at all: a temporary file `path`.tmp is
/// written, synced and renamed, and the folder synced. With `previous`, the file that was there is
/// first renamed to that. Throws FileError, naming the file and the reason, with no temporary file
/// left behind and the other files as they were.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous = {});

}  // namespace quadgate
