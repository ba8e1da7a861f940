#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace quadgate {

/// What one answer of a child process may take.
struct AnswerLimits {
  std::int64_t cpu_milliseconds;
  std::int64_t memory_bytes;  ///< beyond what the process had when it was made
};

/// A process of its own that answers requests, so that code which may crash, hang or ask for any
/// amount of memory on bad input does so there. It ends with its owner, also if that is killed.
class ChildProcess {
 public:
  using Bytes = std::vector<std::byte>;
  /// Turns a request into an answer, in place of the one before. Its exceptions reach the owner as
  /// FileError.
  using Service = std::function<void(std::span<const std::byte> request, Bytes& answer)>;

  /// Forks, and calls `service` in the child, where no files are open but `descriptor`. `subject`
  /// begins the messages of errors: "a.h5". Throws FileError if there can be no more processes.
  ChildProcess(std::string subject, int descriptor, const Service& service);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits for the answer to a request, of at most `most_bytes`. Throws FileError if the service
  /// threw, or the child crashed or passed a limit; then it is gone, and every call throws. One
  /// call at a time.
  Bytes call(std::span<const std::byte> request, const AnswerLimits& limits,
             std::int64_t most_bytes);
  /// As `call`, for an answer of exactly `out.size()` bytes.
  void call_into(std::span<const std::byte> request, const AnswerLimits& limits,
                 std::span<std::byte> out);

 private:
  std::int64_t ask(std::span<const std::byte> request, const AnswerLimits& limits);
  Bytes receive(std::int64_t size, std::int64_t most_bytes);
  [[noreturn]] void fail();
  [[noreturn]] void end();

  std::string subject_;
  std::string failure_;  // of a child that is gone
  ::pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace quadgate
