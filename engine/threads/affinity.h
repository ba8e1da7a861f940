#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace quadgate {

/// The CPUs that the calling thread may run on. Empty if the system does not tell.
std::vector<int> allowed_cpus();

/// The system's number of the calling thread.
std::int32_t current_thread_id() noexcept;

/// Lets a thread of this process run on `cpus` only. It has no effect if the thread has ended, or
/// may use none of them.
void restrict_thread(std::int32_t thread_id, std::span<const int> cpus) noexcept;

}  // namespace quadgate
