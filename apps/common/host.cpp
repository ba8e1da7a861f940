#include "apps/common/host.h"

#include <utility>

namespace quadgate::apps {
namespace {

thread_local const Host* current_host = nullptr;

}  // namespace

Hosted::Hosted(const Host& host) noexcept : before_(std::exchange(current_host, &host)) {}

Hosted::~Hosted() { current_host = before_; }

const Host* host() noexcept { return current_host; }

}  // namespace quadgate::apps
