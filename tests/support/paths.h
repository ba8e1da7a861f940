#pragma once

#include <string>
#include <string_view>

namespace quadgate::paths {

/// A file of the source tree, and one of the build folder. paths.cpp alone is compiled for where
/// these lie: a compiler cache has all else, whichever clone filled it.
std::string in_source(std::string_view file);
std::string in_build(std::string_view file);

/// Real data sets, which may not exist.
inline std::string shared_data() { return in_source("../shared/data"); }

/// The program.
inline std::string program() { return in_build("bin/quadgate"); }

}  // namespace quadgate::paths
