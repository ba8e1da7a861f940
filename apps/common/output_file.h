#pragma once

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string_view>

#include "io/hdf5/formats.h"

namespace quadgate::apps {

/// Throws InvalidArgument if `output` is one of `inputs`, by whatever name.
void expect_no_input(const std::filesystem::path& output,
                     std::span<const std::filesystem::path> inputs);

/// The help of a flag --force.
inline constexpr const char* kForceHelp =
    "Replace a data set or checkpoint that lies at --output by a file of another kind";

/// Throws InvalidArgument if a data set or checkpoint lies at `output` and `format`, what is to be
/// written there, is another one. A file that is damaged may be replaced.
void expect_same_format(const std::filesystem::path& output, std::string_view format);

}  // namespace quadgate::apps
