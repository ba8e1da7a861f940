#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace quadgate {

/// Bytes at the front of a sealed file that are the seal's: a line of text with the checksum
/// (XXH3-64) of all that follows. To HDF5 they are a user block, that readers skip.
inline constexpr std::size_t kSealSize = 512;

/// Fills the first kSealSize bytes of a file's content.
void seal(std::span<std::byte> content);

/// Throws FileError, naming `path`, if the open file is sealed, but not with this content. A file
/// that has no seal or cannot be read passes.
void check_seal(int descriptor, const std::filesystem::path& path);

}  // namespace quadgate
