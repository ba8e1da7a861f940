#pragma once

/// Where a thread has a Host, these leave signals alone, and it says when to stop.
namespace quadgate::apps {

/// From now on a stop signal (SIGINT, SIGTERM, SIGUSR1, SIGUSR2) says one line, and ends the
/// program as it always does.
void announce_stop_signals();

/// From now on the first stop signal only makes `stop_requested` true, and, with `ends_reads`, ends
/// a read that waits, of a pipe say, with EINTR. A second one ends the program at once.
void catch_stop_signals(bool ends_reads = false);

/// From now on the end of who reads what this program writes (SIGPIPE) is a stop signal, too.
void catch_closed_pipes();

/// Whether a stop signal has come.
bool stop_requested() noexcept;

/// An exception that ends work after a stop was requested. The work leaves nothing behind.
class StopRequest {};

/// Says one line, except of a closed pipe, and ends the program as the signal always does.
[[noreturn]] void end_by_signal();

}  // namespace quadgate::apps
