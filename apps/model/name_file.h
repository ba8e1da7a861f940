#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace quadgate::apps {

/// The names in a file: a line each, or in a .json a list of them or an object with their numbers.
/// None for an empty path. Throws FileError.
std::vector<std::string> read_names(const std::filesystem::path& path);

}  // namespace quadgate::apps
