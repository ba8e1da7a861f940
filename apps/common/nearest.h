#pragma once

#include <span>
#include <string_view>

namespace quadgate::apps {

/// The candidate with the smallest Levenshtein distance to `word`, the first of equals; "" without
/// candidates.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace quadgate::apps
