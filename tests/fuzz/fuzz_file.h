#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/base/error.h"
#include "io/importers/import_options.h"

namespace quadgate::fuzz {

using Bytes = std::span<const std::byte>;

/// What each target defines: reads an input. It may throw our errors.
void read(Bytes input);

/// Calls `reader`, which shall read its input or throw one of our errors. All else that it does,
/// other exceptions among it, is a crash.
template <typename Reader>
void read_or_refuse(const Reader& reader) {
  try {
    reader();
  } catch (const Error&) {
    // What is said to the user.
  }
}

/// A file with these bytes in the temporary folder, for readers that take a path. (HDF5 opens none
/// that has no name.)
class InputFile {
 public:
  explicit InputFile(Bytes bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// How importers shall read: in pieces so small that inputs have several, and that run quickly.
inline ImportOptions import_options() { return {.buffer_size = 64}; }

/// Cuts a part off the front of an input of several parts: its length, two bytes, little-endian,
/// then itself.
Bytes take_part(Bytes& rest);

std::string_view text_of(Bytes bytes);

}  // namespace quadgate::fuzz
