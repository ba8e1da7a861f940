#include "apps/signals.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace quadgate::apps {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void on_signal(int) {
  stop = true;
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, SIG_DFL);
  }
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) {
    sigaction(signal, &action, nullptr);
  }
}

bool stop_requested() noexcept { return stop; }

}  // namespace quadgate::apps
