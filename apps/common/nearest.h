#pragma once

#include <span>
#include <string_view>

namespace quadgate::apps {

/// The one of `candidates` with the smallest Levenshtein distance to `word`, the first of equals;
/// "" if there is none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace quadgate::apps
