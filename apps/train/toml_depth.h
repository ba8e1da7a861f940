#pragma once

#include <string_view>

namespace quadgate::apps {

/// Throws InvalidArgument, naming `name` and the line, if tables and arrays of the TOML `text` lie
/// more than 64 deep, or a key has more than 64 dots. toml++ reads each level by another call of
/// itself, until its stack overflows.
void expect_shallow_toml(std::string_view text, std::string_view name);

}  // namespace quadgate::apps
