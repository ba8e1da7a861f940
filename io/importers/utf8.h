#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace quadgate {

/// Bytes of the character (Unicode code point) at the front of a text; 0 if it is not UTF-8 (RFC
/// 3629). The text must not be empty.
std::size_t utf8_size(std::string_view text) noexcept;

/// Characters of a text. A byte that is not UTF-8 counts as one.
std::int64_t utf8_characters(std::string_view text) noexcept;

/// The place of the first byte that is zero or not UTF-8; npos if there is none.
std::size_t find_not_utf8(std::string_view text) noexcept;

/// Bytes of `text` without a last character that has only begun.
std::size_t utf8_whole(std::string_view text) noexcept;

/// Adds a code point in UTF-8. It must be one: below 0x110000, and no surrogate.
void append_utf8(char32_t code, std::string& text);

/// The whole of a text file. Throws FileError like TextReader.
std::string read_utf8(const std::filesystem::path& path);

}  // namespace quadgate
