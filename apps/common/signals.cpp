#include "apps/common/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "apps/common/host.h"
#include "apps/common/warn.h"

namespace quadgate::apps {
namespace {

std::atomic<int> stop_signal{0};  // that has come
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler sets it");

// Slurm and MPI's launchers pass the last two on, often before they end a job.
constexpr std::initializer_list<int> kStopSignals = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

void on_signal(int signal) {
  stop_signal = signal;
  for (const int other : kStopSignals) std::signal(other, SIG_DFL);
}

void on_end(int signal) {
  constexpr std::string_view kLine = "quadgate: stopped by a signal\n";
  if (!is_quiet() && signal != SIGPIPE) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void handle(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : kStopSignals) sigaction(signal, &action, nullptr);
}

}  // namespace

void announce_stop_signals() { handle(on_end, SA_RESTART); }

void catch_stop_signals(bool ends_reads) {
  if (host() == nullptr) handle(on_signal, ends_reads ? 0 : SA_RESTART);
}

void catch_closed_pipes() {
  if (host() == nullptr) std::signal(SIGPIPE, on_signal);
}

bool stop_requested() noexcept { return host() == nullptr ? stop_signal != 0 : host()->stops(); }

void end_by_signal() {
  on_end(stop_signal);
  std::abort();  // not reached: the signal has ended the program
}

}  // namespace quadgate::apps
