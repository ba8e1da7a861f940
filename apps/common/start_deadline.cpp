#include "apps/common/start_deadline.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace quadgate::apps {

StartDeadline::StartDeadline(std::chrono::milliseconds limit, std::function<void()> late)
    : thread_([limit, late = std::move(late)](const std::stop_token& is_over) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait_for(lock, is_over, limit, [] { return false; });
        if (!is_over.stop_requested()) late();
      }) {}

}  // namespace quadgate::apps
