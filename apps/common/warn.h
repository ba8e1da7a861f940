#pragma once

#include <string>
#include <string_view>

namespace quadgate::apps {

/// From now on this process writes no warnings, notes and farewells: of several ranks, the first
/// one does.
void be_quiet() noexcept;
bool is_quiet() noexcept;

/// Writes "quadgate: warning: LINE" to stderr, the line as one_line makes it, or tells the Host.
void warn(std::string_view line);

/// Likewise "quadgate: note: LINE": what was assumed or changed, and may be right.
void note(std::string_view line);

/// Writes the line alone to stderr, or tells the Host: what a command has done.
void tell(std::string_view line);

/// A message as one line for a terminal. A control character becomes a blank. Of what stands
/// between single quotes, which may be a user's whole file, 200 bytes are left, and of the message
/// 2,000.
std::string one_line(std::string_view message);

}  // namespace quadgate::apps
