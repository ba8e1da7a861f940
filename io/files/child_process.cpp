#include "io/files/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr int kOutOfMemory = 1;                           // exit status of a child
constexpr std::size_t kMostKept = std::size_t{16} << 20;  // bytes of memory for the next answer

struct RequestHeader {
  std::int64_t size;
  AnswerLimits limits;
};

struct AnswerHeader {
  std::int64_t size;
  bool is_error;  // the answer is a message
};

bool send_all(int socket, const void* data, std::size_t size) {
  const auto* next = static_cast<const std::byte*>(data);
  while (size > 0) {
    const ::ssize_t sent = ::send(socket, next, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    next += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t size) {
  auto* next = static_cast<std::byte*>(data);
  while (size > 0) {
    const ::ssize_t got = ::recv(socket, next, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// Without streams, whose locks another thread may have held when the process was copied.
std::int64_t mapped_bytes() {
  std::array<char, 32> text{};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ::ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  std::int64_t pages = 0;
  std::from_chars(text.data(), text.data() + std::max<::ssize_t>(0, size), pages);
  return pages * ::sysconf(_SC_PAGESIZE);
}

/// Closes all files but these, and lets nothing be printed.
void close_files(int descriptor, int socket) {
  const auto [first, second] = std::minmax(descriptor, socket);
  const auto close_between = [](int after, int before) {
    if (after + 1 < before) {
      ::close_range(static_cast<unsigned>(after + 1), static_cast<unsigned>(before - 1), 0);
    }
  };
  close_between(STDERR_FILENO, first);
  close_between(std::max(first, STDERR_FILENO), second);
  ::close_range(static_cast<unsigned>(std::max(second, STDERR_FILENO)) + 1, ~0U, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (standard != descriptor && standard != socket) ::dup2(null, standard);
  }
  if (null > STDERR_FILENO) ::close(null);
}

/// Ctrl-C is for the owner, which then ends the child; a crash is no one's to report here.
void reset_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF}) {
    std::signal(signal, SIG_DFL);
  }
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

[[noreturn]] void serve(int descriptor, int socket, const ChildProcess::Service& service) {
  close_files(descriptor, socket);
  reset_signals();
  const ::rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const std::int64_t base_bytes = mapped_bytes();
  ChildProcess::Bytes request;
  ChildProcess::Bytes answer;
  RequestHeader header{};
  while (receive_all(socket, &header, sizeof header)) {
    request.resize(static_cast<std::size_t>(header.size));
    if (!receive_all(socket, request.data(), request.size())) break;
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
    const AnswerHeader answer_header{.size = std::ssize(answer), .is_error = is_error};
    if (!send_all(socket, &answer_header, sizeof answer_header) ||
        !send_all(socket, answer.data(), answer.size())) {
      break;
    }
    if (answer.size() > kMostKept) ChildProcess::Bytes().swap(answer);
  }
  ::_exit(0);
}

/// Waits until the process has ended.
int status_at_end(::pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

constexpr const char* kCrashes = "damaged: reading it crashes its library";

const char* reason_of(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory) {
    return "damaged: reading it needs too much memory";
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) {
    return "damaged: reading it takes too long";
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return "the process that reads it was killed";  // by the system, if memory is short
  }
  return kCrashes;
}

}  // namespace

ChildProcess::ChildProcess(std::string subject, int descriptor, const Service& service)
    : subject_(std::move(subject)) {
  const auto fail_to_start = [&] {
    throw FileError(fmt::format("{}: cannot start a process to read it: {}", subject_,
                                std::generic_category().message(errno)));
  };
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail_to_start();
  process_ = ::fork();
  if (process_ == 0) serve(descriptor, ends[1], service);
  ::close(ends[1]);
  socket_ = ends[0];
  if (process_ < 0) {
    ::close(socket_);
    fail_to_start();
  }
}

ChildProcess::~ChildProcess() {
  ::close(socket_);
  if (!failure_.empty()) return;
  ::kill(process_, SIGKILL);
  status_at_end(process_);
}

ChildProcess::Bytes ChildProcess::call(std::span<const std::byte> request,
                                       const AnswerLimits& limits, std::int64_t most_bytes) {
  return receive(ask(request, limits), most_bytes);
}

void ChildProcess::call_into(std::span<const std::byte> request, const AnswerLimits& limits,
                             std::span<std::byte> out) {
  if (ask(request, limits) != std::ssize(out)) end();
  if (!receive_all(socket_, out.data(), out.size())) fail();
}

// The size of the answer, which is next to be received.
std::int64_t ChildProcess::ask(std::span<const std::byte> request, const AnswerLimits& limits) {
  constexpr std::int64_t kMostMessage = 1 << 16;
  if (!failure_.empty()) throw FileError(failure_);
  const RequestHeader header{.size = std::ssize(request), .limits = limits};
  AnswerHeader answer{};
  if (!send_all(socket_, &header, sizeof header) ||
      !send_all(socket_, request.data(), request.size()) ||
      !receive_all(socket_, &answer, sizeof answer)) {
    fail();
  }
  if (!answer.is_error) return answer.size;
  const Bytes message = receive(answer.size, kMostMessage);
  throw FileError(std::string(reinterpret_cast<const char*>(message.data()), message.size()));
}

ChildProcess::Bytes ChildProcess::receive(std::int64_t size, std::int64_t most_bytes) {
  if (size < 0 || size > most_bytes) end();
  Bytes bytes(static_cast<std::size_t>(size));
  if (!receive_all(socket_, bytes.data(), bytes.size())) fail();
  return bytes;
}

// Of a child that has ended.
void ChildProcess::fail() {
  failure_ = fmt::format("{}: {}", subject_, reason_of(status_at_end(process_)));
  throw FileError(failure_);
}

// Of a child that answers what it must not.
void ChildProcess::end() {
  ::kill(process_, SIGKILL);
  status_at_end(process_);
  failure_ = fmt::format("{}: {}", subject_, kCrashes);
  throw FileError(failure_);
}

}  // namespace quadgate
