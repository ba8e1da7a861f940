#pragma once

#include <filesystem>

namespace quadgate::apps {

/// The file of this program, also where no /proc is mounted.
std::filesystem::path this_program();

}  // namespace quadgate::apps
