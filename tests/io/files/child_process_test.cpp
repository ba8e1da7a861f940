// Sweeps: what a service can do to its process, which its owner must only hear of; programs that
// are missing or others.

#include "io/files/child_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/processes.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using testing::message_of;
using ::testing::SizeIs;

using ChildProcessTest = testing::FolderTest;
using Bytes = ChildProcess::Bytes;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr child::AnswerLimits kLimits{.cpu_milliseconds = 1000, .memory_bytes = 64 * kMiB};

Bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Obedient {
 public:
  explicit Obedient(milliseconds patience = ChildProcess::kPatience, int descriptor = STDIN_FILENO,
                    std::vector<std::string> arguments = {"child"})
      : child_("a.h5", paths::in_build("tests/io/files/child_program"), std::move(arguments),
               descriptor, patience) {}

  std::string operator()(std::string_view order) {
    return text_of(child_.call(bytes_of(order), kLimits, kMiB));
  }
  std::string failure(std::string_view order) {
    return message_of<FileError>([&] { (*this)(order); });
  }
  void into(std::string_view order, std::span<std::byte> out) {
    child_.call_into(bytes_of(order), kLimits, out);
  }

 private:
  ChildProcess child_;
};

TEST(ChildProcess, AnswersAndGoesOnAfterErrors) {
  Obedient child;
  EXPECT_EQ(child("one"), "did one");
  EXPECT_EQ(child.failure("throw"), "a.h5: no");
  EXPECT_EQ(child("interrupt"), "did interrupt");
  EXPECT_EQ(child(std::string(1'000'000, 'x')), "did " + std::string(1'000'000, 'x'));
}

TEST(ChildProcess, IsGoneAfterACrashOrItsLimits) {
  const auto expect_end = [](std::string_view order, const std::string& reason) {
    Obedient child;
    EXPECT_EQ(child("one"), "did one");
    EXPECT_EQ(child.failure(order), "a.h5: " + reason);
    EXPECT_EQ(child.failure("one"), "a.h5: " + reason);
    EXPECT_THAT(testing::children(), IsEmpty());
  };
  expect_end("abort", "damaged: reading it crashes its library");
  expect_end("loop", "damaged: reading it takes too long");
  expect_end("allocate", "damaged: reading it needs too much memory");
  expect_end("kill", "the process that reads it was killed");
  expect_end("long", "damaged: reading it crashes its library");
}

// As a process does that reads from a disk that does not answer.
TEST(ChildProcess, IsGoneOnceItStandsStill) {
  Obedient child(milliseconds(200));
  EXPECT_EQ(child("one"), "did one");
  const std::string reason = "a.h5: reading it has stood still for 0.2 s, as if its disk were gone";
  const auto start = steady_clock::now();
  EXPECT_EQ(child.failure("stop"), reason);
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(child.failure("one"), reason);
  EXPECT_THAT(testing::children(), IsEmpty());
}

TEST(ChildProcess, NeitherBeginsNorTakesARequestWhileItStandsStill) {
  Obedient child(milliseconds(200));
  ASSERT_THAT(testing::children(), SizeIs(1));
  ::kill(testing::children().front(), SIGSTOP);
  const std::string longer_than_the_socket_holds(100 * kMiB, 'x');
  EXPECT_THAT(child.failure(longer_than_the_socket_holds), EndsWith("as if its disk were gone"));
}

TEST(ChildProcess, MayWorkForLongerThanItMayStandStill) {
  EXPECT_EQ(Obedient(milliseconds(250))("work"), "did work");
}

TEST(ChildProcess, GoesWithItsOwner) {
  {
    Obedient child;
    EXPECT_THAT(testing::children(), SizeIs(1));
  }
  EXPECT_THAT(testing::children(), IsEmpty());
}

TEST(ChildProcess, PrintsNothing) {
  ::testing::internal::CaptureStderr();
  Obedient()("print");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ChildProcessTest, HasNoFileButTheOneGiven) {
  const int given = ::open(file("a", "content of a").c_str(), O_RDONLY);
  const int other = ::open(file("b", "content of b").c_str(), O_RDONLY);
  const int far = ::dup2(other, 500);
  Obedient child(ChildProcess::kPatience, given);
  EXPECT_EQ(child("file"), "content of a");
  EXPECT_EQ(child("descriptors"), "0 1 2 3 4 ");
  Bytes exact(12);
  child.into("file", exact);
  EXPECT_EQ(text_of(exact), "content of a");
  EXPECT_THROW(child.into("file", std::span(exact).first(11)), FileError);
  for (const int descriptor : {given, other, far}) ::close(descriptor);
}

TEST(ChildProcess, NamesAProgramThatCannotBeStartedOrIsAnother) {
  const auto message = [](const char* program) {
    return message_of<FileError>(
        [&] { ChildProcess("a.h5", program, {"child"}, STDIN_FILENO).call({}, kLimits, kMiB); });
  };
  EXPECT_EQ(message("/none/reader"),
            "a.h5: cannot be read: cannot start /none/reader: No such file or directory");
  EXPECT_EQ(message("/bin/true"), "a.h5: cannot be read: /bin/true ended before it began");
  EXPECT_THAT(Obedient(ChildProcess::kPatience, STDIN_FILENO, {"child", "wrong"}).failure("one"),
              EndsWith(" is of another version"));
}

}  // namespace
}  // namespace quadgate
