#include "io/files/child_service.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <fstream>
#include <new>
#include <string_view>

namespace quadgate::child {
namespace {

constexpr std::size_t kMostKept = std::size_t{16} << 20;  // bytes of memory for the next answer

bool send_all(const void* data, std::size_t size) {
  const auto* next = static_cast<const std::byte*>(data);
  while (size > 0) {
    const ::ssize_t sent = ::send(kSocket, next, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    next += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(void* data, std::size_t size) {
  auto* next = static_cast<std::byte*>(data);
  while (size > 0) {
    const ::ssize_t got = ::recv(kSocket, next, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::int64_t mapped_bytes() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

void set_limits(const AnswerLimits& limits, std::int64_t base_bytes) {
  const ::itimerval timer{.it_interval = {},
                          .it_value = {.tv_sec = limits.cpu_milliseconds / 1000,
                                       .tv_usec = limits.cpu_milliseconds % 1000 * 1000}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
  ::rlimit memory{};
  ::getrlimit(RLIMIT_AS, &memory);
  memory.rlim_cur =
      std::min(memory.rlim_max, static_cast<::rlim_t>(base_bytes + limits.memory_bytes));
  ::setrlimit(RLIMIT_AS, &memory);
}

bool answer_next(const Service& service, std::int64_t base_bytes, Bytes& request, Bytes& answer) {
  RequestHeader header{};
  if (!receive_all(&header, sizeof header)) return false;
  request.resize(static_cast<std::size_t>(header.size));
  if (!receive_all(request.data(), request.size())) return false;
  set_limits(header.limits, base_bytes);
  bool is_error = false;
  try {
    service(request, answer);
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  } catch (const std::exception& error) {
    is_error = true;
    const auto message = std::as_bytes(std::span(std::string_view(error.what())));
    answer.assign(message.begin(), message.end());
  }
  const AnswerHeader answer_header{.size = std::ssize(answer), .is_error = is_error ? 1 : 0};
  return send_all(&answer_header, sizeof answer_header) && send_all(answer.data(), answer.size());
}

}  // namespace

bool has_owner() noexcept {
  struct ::stat socket {};
  return ::fstat(kSocket, &socket) == 0 && S_ISSOCK(socket.st_mode);
}

void serve(const Service& service) {
  const ::rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const std::int64_t base_bytes = mapped_bytes();
  Bytes request;
  Bytes answer;
  if (!send_all(&kGreeting, sizeof kGreeting)) ::_exit(0);
  while (answer_next(service, base_bytes, request, answer)) {
    if (answer.size() > kMostKept) Bytes().swap(answer);
  }
  ::_exit(0);
}

}  // namespace quadgate::child
