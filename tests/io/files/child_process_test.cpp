// Sweeps: what a service can do to its process, which its owner must only hear of.

#include "io/files/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::message_of;

using ChildProcessTest = testing::FolderTest;
using Bytes = ChildProcess::Bytes;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr AnswerLimits kLimits{.cpu_milliseconds = 100, .memory_bytes = 64 * kMiB};

Bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Does what the request says.
void obey(std::span<const std::byte> request, Bytes& answer) {
  const std::string order = text_of(Bytes(request.begin(), request.end()));
  if (order == "throw") throw std::runtime_error("a.h5: no");
  if (order == "abort") std::abort();
  if (order == "loop") {
    for (volatile bool go_on = true; go_on;) {
    }
  }
  if (order == "allocate") {
    if (::mmap(nullptr, 128 * kMiB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
      throw std::bad_alloc();
    }
  }
  if (order == "kill") std::raise(SIGKILL);
  if (order == "interrupt") std::raise(SIGINT);
  if (order == "print") std::fputs("not to be seen\n", stderr);
  answer = order == "long" ? Bytes(kMiB + 1) : bytes_of("did " + order);
}

class Obedient {
 public:
  std::string operator()(std::string_view order) {
    return text_of(child_.call(bytes_of(order), kLimits, kMiB));
  }
  std::string failure(std::string_view order) {
    return message_of<FileError>([&] { (*this)(order); });
  }

 private:
  ChildProcess child_{"a.h5", STDIN_FILENO, obey};
};

TEST(ChildProcess, AnswersAndGoesOnAfterErrors) {
  Obedient child;
  EXPECT_EQ(child("one"), "did one");
  EXPECT_EQ(child.failure("throw"), "a.h5: no");
  EXPECT_EQ(child("interrupt"), "did interrupt");
  EXPECT_EQ(child(std::string(100'000, 'x')), "did " + std::string(100'000, 'x'));
}

TEST(ChildProcess, IsGoneAfterACrashOrItsLimits) {
  const auto expect_end = [](std::string_view order, const std::string& reason) {
    Obedient child;
    EXPECT_EQ(child("one"), "did one");
    EXPECT_EQ(child.failure(order), "a.h5: " + reason);
    EXPECT_EQ(child.failure("one"), "a.h5: " + reason);
  };
  expect_end("abort", "damaged: reading it crashes its library");
  expect_end("loop", "damaged: reading it takes too long");
  expect_end("allocate", "damaged: reading it needs too much memory");
  expect_end("kill", "the process that reads it was killed");
  expect_end("long", "damaged: reading it crashes its library");
}

TEST(ChildProcess, PrintsNothing) {
  ::testing::internal::CaptureStderr();
  Obedient()("print");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ChildProcessTest, HasNoFileButTheOneGiven) {
  const int given = ::open(file("a", "content of a").c_str(), O_RDONLY);
  const int other = ::open(file("b", "content of b").c_str(), O_RDONLY);
  const auto read_both = [&](std::span<const std::byte>, Bytes& answer) {
    answer.resize(100);
    const auto first = ::pread(given, answer.data(), answer.size(), 0);
    const auto second = ::pread(other, answer.data(), answer.size(), 0);
    answer.resize(static_cast<std::size_t>(std::max<::ssize_t>(0, first)));
    if (second >= 0) answer.clear();
  };
  ChildProcess child("a", given, read_both);
  EXPECT_EQ(text_of(child.call({}, kLimits, kMiB)), "content of a");
  Bytes exact(12);
  child.call_into({}, kLimits, exact);
  EXPECT_EQ(text_of(exact), "content of a");
  EXPECT_THROW(child.call_into({}, kLimits, std::span(exact).first(11)), FileError);
  ::close(given);
  ::close(other);
}

}  // namespace
}  // namespace quadgate
