#pragma once

#include <string_view>

namespace quadgate::apps {

/// Writes "quadgate: warning: LINE" to stderr.
void warn(std::string_view line);

/// Writes "quadgate: note: LINE" to stderr: what was assumed or changed, and may be right.
void note(std::string_view line);

}  // namespace quadgate::apps
