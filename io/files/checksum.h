#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace quadgate {

/// Bytes at the front of a file for a line of text with the checksum (XXH3-64) of all that follows.
/// To HDF5 they are a user block, that readers skip.
inline constexpr std::size_t kChecksumSize = 512;

/// The root attribute of an HDF5 file that says that the line must be there, and its value.
inline constexpr const char* kChecksumAttribute = "checksum";
inline constexpr const char* kChecksumKind = "xxh3-64";

/// XXH3-64 of bytes, of what came before them as well if `seed` is that of those.
std::uint64_t checksum_of(std::span<const std::byte> bytes, std::uint64_t seed = 0) noexcept;

/// Fills the first kChecksumSize bytes of a file's content.
void write_checksum(std::span<std::byte> content);

/// Whether the open file has a checksum. Throws FileError, naming `path`, if it is not that of the
/// content. A file that cannot be read has none.
bool check_checksum(int descriptor, const std::filesystem::path& path);

}  // namespace quadgate
