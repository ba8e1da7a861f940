#pragma once

#include <string>

namespace quadgate::apps {

/// What is wrong with the text of a `--seed`, or nothing: CLI11 takes what is larger than 2^64 - 1
/// for that number, and -1 as well.
std::string expect_seed(const std::string& text);

}  // namespace quadgate::apps
