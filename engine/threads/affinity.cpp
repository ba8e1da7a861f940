#include "engine/threads/affinity.h"

#include <sched.h>
#include <unistd.h>

#include <cstddef>

namespace quadgate {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return {};
  }
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) {
      cpus.push_back(cpu);
    }
  }
  return cpus;
}

std::int32_t current_thread_id() noexcept { return gettid(); }

void restrict_thread(std::int32_t thread_id, std::span<const int> cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  sched_setaffinity(thread_id, sizeof(set), &set);
}

}  // namespace quadgate
