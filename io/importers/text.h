#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace quadgate {

/// The whole of a file, unzipped if it is gzipped. Throws FileError.
std::string read_input(const std::filesystem::path& path);

/// Without blanks, tabs and carriage returns at both ends.
std::string_view trim(std::string_view text);

/// Cuts the part before `separator` (or all) off the front of `rest`; the separator goes, too.
std::string_view cut(std::string_view& rest, char separator);

/// A finite float32 written in decimal, or empty.
std::optional<float> parse_number(std::string_view text);

}  // namespace quadgate
