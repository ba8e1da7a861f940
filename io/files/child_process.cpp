#include "io/files/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/base/error.h"
#include "io/files/program_start.h"

namespace quadgate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A copy of a descriptor that none of the child's is in the way of.
class Copy {
 public:
  explicit Copy(int descriptor) noexcept
      : copy_(::fcntl(descriptor, F_DUPFD_CLOEXEC, child::kFile + 1)) {}
  ~Copy() {
    if (copy_ >= 0) ::close(copy_);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  int get() const noexcept { return copy_; }

 private:
  int copy_;
};

/// Starts a child with two descriptors, and nothing to print to. Ctrl-C is for the owner, which
/// then ends the child. Returns 0, or what is wrong, as errno tells it.
int start_child(::pid_t& process, const std::filesystem::path& program,
                std::vector<std::string> arguments, int descriptor, int socket) {
  ProgramStart start;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    start.open(standard, "/dev/null", O_RDWR);
  }
  start.copy(socket, child::kSocket);
  start.copy(descriptor, child::kFile);
  start.close_from(child::kFile + 1);
  start.reset_signals();
  start.block_signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
  return start.start(process, program, std::move(arguments));
}

/// The status of a process that is about to end, once it has: one that waits for a dead disk only
/// ends with the waiting, and is left to the system.
std::optional<int> status_at_end(::pid_t process) {
  constexpr auto kMost = std::chrono::seconds(2);
  constexpr microseconds kLongestPause(10'000);
  const auto start = steady_clock::now();
  for (microseconds pause(50); steady_clock::now() - start < kMost;
       pause = std::min(2 * pause, kLongestPause)) {
    int status = 0;
    const ::pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR) return {};  // the program reaps its children itself
    std::this_thread::sleep_for(pause);
  }
  return {};
}

/// What a process has used of CPUs, in nanoseconds.
std::int64_t cpu_time(::pid_t process) {
  ::clockid_t clock{};
  ::timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0) return 0;
  ::clock_gettime(clock, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

constexpr const char* kCrashes = "damaged: reading it crashes its library";

const char* reason_of(std::optional<int> status) {
  if (!status) return kCrashes;
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == child::kOutOfMemory) {
    return "damaged: reading it needs too much memory";
  }
  if (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGPROF) {
    return "damaged: reading it takes too long";
  }
  if (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL) {
    return "the process that reads it was killed";  // by the system, if memory is short
  }
  return kCrashes;
}

template <typename T>
std::span<const std::byte> object_bytes(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <typename T>
std::span<std::byte> object_bytes(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

}  // namespace

ChildProcess::ChildProcess(std::string subject, std::filesystem::path program,
                           std::vector<std::string> arguments, int descriptor,
                           milliseconds patience)
    : subject_(std::move(subject)), program_(std::move(program)), patience_(patience) {
  std::array<int, 2> ends{-1, -1};
  int error = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0 ? errno : 0;
  if (error == 0) {
    const Copy file(descriptor);
    const Copy socket(ends[1]);
    error = file.get() < 0 || socket.get() < 0
                ? EMFILE
                : start_child(process_, program_, std::move(arguments), file.get(), socket.get());
    ::close(ends[1]);
  }
  socket_ = ends[0];
  if (error == 0) return;
  if (socket_ >= 0) ::close(socket_);
  throw FileError(fmt::format("{}: cannot be read: cannot start {}: {}", subject_,
                              program_.string(), std::generic_category().message(error)));
}

ChildProcess::~ChildProcess() {
  ::close(socket_);
  if (!failure_.empty()) return;
  ::kill(process_, SIGKILL);
  status_at_end(process_);
}

ChildProcess::Bytes ChildProcess::call(std::span<const std::byte> request,
                                       const child::AnswerLimits& limits, std::int64_t most_bytes) {
  return receive(ask(request, limits), most_bytes);
}

void ChildProcess::call_into(std::span<const std::byte> request, const child::AnswerLimits& limits,
                             std::span<std::byte> out) {
  if (ask(request, limits) != std::ssize(out)) end(kCrashes);
  receive(out);
}

// The size of the answer, which is next to be received.
std::int64_t ChildProcess::ask(std::span<const std::byte> request,
                               const child::AnswerLimits& limits) {
  constexpr std::int64_t kMostMessage = 1 << 16;
  if (!failure_.empty()) throw FileError(failure_);
  const child::RequestHeader header{.size = std::ssize(request), .limits = limits};
  send(object_bytes(header));
  send(request);
  if (!has_greeted_) expect_greeting();
  child::AnswerHeader answer{};
  receive(object_bytes(answer));
  if (answer.is_error == 0) return answer.size;
  const Bytes message = receive(answer.size, kMostMessage);
  throw FileError(std::string(reinterpret_cast<const char*>(message.data()), message.size()));
}

void ChildProcess::expect_greeting() {
  std::uint64_t greeting = 0;
  receive(object_bytes(greeting));
  if (greeting != child::kGreeting) {
    end(fmt::format("cannot be read: {} is of another version", program_.string()));
  }
  has_greeted_ = true;
}

void ChildProcess::send(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait_for(POLLOUT);
    } else if (errno != EINTR) {
      fail();
    }
  }
}

void ChildProcess::receive(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    } else if (got < 0 && errno == EAGAIN) {
      wait_for(POLLIN);
    } else if (got == 0 || errno != EINTR) {
      fail();
    }
  }
}

ChildProcess::Bytes ChildProcess::receive(std::int64_t size, std::int64_t most_bytes) {
  if (size < 0 || size > most_bytes) end(kCrashes);
  Bytes bytes(static_cast<std::size_t>(size));
  receive(bytes);
  return bytes;
}

// Until the socket is ready. A child that uses its CPU is at work, within its limit. While this
// process is stopped, by Ctrl-Z say, no time passes: hence the short waits.
void ChildProcess::wait_for(short events) {
  const steady_clock::duration slice = std::min(patience_ / 4, milliseconds(1000));
  steady_clock::duration still{};
  std::int64_t used = cpu_time(process_);
  while (still < patience_) {
    const auto start = steady_clock::now();
    ::pollfd socket{.fd = socket_, .events = events, .revents = 0};
    if (::poll(&socket, 1, static_cast<int>(std::chrono::ceil<milliseconds>(slice).count())) > 0) {
      return;
    }
    const std::int64_t now_used = cpu_time(process_);
    still = now_used == used ? still + std::min(steady_clock::now() - start, slice)
                             : steady_clock::duration();
    used = now_used;
  }
  end(fmt::format("reading it has stood still for {} s, as if its disk were gone",
                  std::chrono::duration<double>(patience_).count()));
}

// Of a child that has ended.
void ChildProcess::fail() {
  const std::optional<int> status = status_at_end(process_);
  if (!status) ::kill(process_, SIGKILL);
  failure_ = has_greeted_ ? fmt::format("{}: {}", subject_, reason_of(status))
                          : fmt::format("{}: cannot be read: {} ended before it began", subject_,
                                        program_.string());
  throw FileError(failure_);
}

void ChildProcess::end(const std::string& reason) {
  ::kill(process_, SIGKILL);
  status_at_end(process_);
  failure_ = fmt::format("{}: {}", subject_, reason);
  throw FileError(failure_);
}

}  // namespace quadgate
