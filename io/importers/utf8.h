#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace quadgate {

/// Bytes of the character (Unicode code point) at the front of a text that is not empty; 0 if they
/// are not UTF-8 (RFC 3629).
std::size_t utf8_size(std::string_view text) noexcept;

/// Where a text has bytes that are not UTF-8, or a zero byte, first; npos: nowhere.
std::size_t find_not_utf8(std::string_view text) noexcept;

/// The whole of a text file (see read_input), without the mark of byte order at its front. Throws
/// FileError ("a.txt:17: expected UTF-8, found byte 0xff") unless it is UTF-8 without zero bytes.
std::string read_utf8(const std::filesystem::path& path);

}  // namespace quadgate
