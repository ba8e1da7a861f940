#pragma once

#include <functional>

/// The subcommands of the program, a header each. Each takes what was typed, prints to stdout and
/// stderr, and throws the library's errors. main() turns those into one line and an exit code.
namespace quadgate::apps {

/// Exit codes of the program, a contract.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUse = 2;
inline constexpr int kExitStopped = 75;  ///< by a signal, after saving: run again with --resume

/// What the chosen subcommand runs; its exit code.
using Command = std::function<int()>;

}  // namespace quadgate::apps
