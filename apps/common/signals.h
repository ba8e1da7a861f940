#pragma once

namespace quadgate::apps {

/// Until catch_stop_signals, SIGINT and SIGTERM say one line and end the program as they always do.
void announce_stop_signals();

/// From now on the first SIGINT or SIGTERM only sets what `stop_requested` tells; a second one ends
/// the program at once, as without this call.
void catch_stop_signals();

/// Whether a SIGINT or SIGTERM has come.
bool stop_requested() noexcept;

/// Is thrown to end work, with nothing left behind, since a stop was requested.
class StopRequest {};

/// Says the line, and ends the program as the signal that came always does.
[[noreturn]] void end_by_signal();

}  // namespace quadgate::apps
