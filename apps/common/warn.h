#pragma once

#include <string_view>

namespace quadgate::apps {

/// Writes "quadgate: warning: LINE" to stderr.
void warn(std::string_view line);

}  // namespace quadgate::apps
