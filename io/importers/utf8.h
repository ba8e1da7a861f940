#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace quadgate {

/// Bytes of the character (Unicode code point) at the front of a text that is not empty; 0 if they
/// are not UTF-8 (RFC 3629).
std::size_t utf8_size(std::string_view text) noexcept;

/// Where the first byte lies that is not UTF-8 or is zero; npos if there is none.
std::size_t find_not_utf8(std::string_view text) noexcept;

/// Bytes of `text` before a character at its end that has only begun.
std::size_t utf8_whole(std::string_view text) noexcept;

/// The whole of a text file. Throws FileError like TextReader.
std::string read_utf8(const std::filesystem::path& path);

}  // namespace quadgate
