#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/files/child_protocol.h"

namespace quadgate {

/// A program of its own that answers requests (see child_service.h), so that code which may crash,
/// hang or ask for any amount of memory on bad input does so there. It ends with its owner, also if
/// that is killed.
class ChildProcess {
 public:
  using Bytes = child::Bytes;

  /// How long nothing may happen: no byte of an answer comes, and the child uses no CPU.
  static constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(60);

  /// Starts `program` with `arguments`, the first of which is its name; it gets the file
  /// `descriptor`, and no other that is open here. `subject` begins the messages of errors: "a.h5".
  /// Throws FileError, naming the program, if it cannot be started.
  ChildProcess(std::string subject, std::filesystem::path program,
               std::vector<std::string> arguments, int descriptor,
               std::chrono::milliseconds patience = kPatience);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits for the answer to a request, of at most `most_bytes`. Throws FileError if the service
  /// threw, or the child crashed, passed a limit or stood still; then it is gone, and every call
  /// throws. One call at a time.
  Bytes call(std::span<const std::byte> request, const child::AnswerLimits& limits,
             std::int64_t most_bytes);
  /// As `call`, for an answer of exactly `out.size()` bytes.
  void call_into(std::span<const std::byte> request, const child::AnswerLimits& limits,
                 std::span<std::byte> out);

 private:
  std::int64_t ask(std::span<const std::byte> request, const child::AnswerLimits& limits);
  void expect_greeting();
  void send(std::span<const std::byte> bytes);
  void receive(std::span<std::byte> bytes);
  Bytes receive(std::int64_t size, std::int64_t most_bytes);
  void wait_for(short events);
  [[noreturn]] void fail();
  [[noreturn]] void end(const std::string& reason);

  std::string subject_;
  std::filesystem::path program_;
  std::chrono::milliseconds patience_;
  std::string failure_;  // of a child that is gone
  bool has_greeted_ = false;
  ::pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace quadgate
