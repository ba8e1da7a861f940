#pragma once

#include <filesystem>

namespace quadgate::apps {

/// Prints what a data set or checkpoint holds.
void inspect(const std::filesystem::path& path);

}  // namespace quadgate::apps
