#pragma once

namespace quadgate::apps {

/// From now on the first SIGINT or SIGTERM only sets what `stop_requested` tells; a second one ends
/// the program at once, as without this call.
void catch_stop_signals();

/// Whether a SIGINT or SIGTERM has come.
bool stop_requested() noexcept;

}  // namespace quadgate::apps
