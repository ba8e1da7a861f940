// Sweeps: two processes that write one data set or train into one folder at the same time, and
// readers of a checkpoint that a third replaces all the time. No tolerance: files and exit codes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"
#include "tests/support/paths.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

class RacesTest : public Workspace {
 protected:
  void TearDown() override {
    for (const pid_t process : started_) kill(process, SIGKILL);
    while (!started_.empty()) end_of(started_.back());
    Workspace::TearDown();
  }

  /// Starts the program with its messages in a file of its own.
  pid_t start_beside(const std::string& args, const std::string& messages) {
    const std::string command = "cd '" + path("").string() + "' && exec " + paths::program() + " " +
                                args + " > /dev/null 2> " + messages;
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    started_.push_back(child);
    return child;
  }

  int end_of(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    std::erase(started_, process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  bool has_file_like(const std::string& begin) const {
    return std::ranges::any_of(
        std::filesystem::directory_iterator(path("")),
        [&](const auto& entry) { return entry.path().filename().string().starts_with(begin); });
  }

  template <typename Ready>
  static void wait_for(Ready ready) {
    constexpr auto kLongest = std::chrono::seconds(60);
    const auto end = std::chrono::steady_clock::now() + kLongest;
    while (!ready() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(ready());
  }

  static constexpr const char* kForEver = "train run.toml --set train.epochs=1000000 ";

 private:
  std::vector<pid_t> started_;
};

TEST_F(RacesTest, OfTwoWritersOfADataSetTheFirstToBeWholeStays) {
  write("long.txt", std::string(std::size_t{1} << 25, 'x'));
  write("short.txt", "abcabc");
  for (const bool exists : {false, true}) {
    const pid_t slow = start_beside("prepare text long.txt -o out.h5", "slow.err");
    wait_for([&] { return has_file_like("out.h5.tmp-"); });
    kill(slow, SIGSTOP);
    ASSERT_EQ(run({"prepare", "text", "short.txt", "-o", "out.h5"}).code, kExitDone);
    const std::string whole = read("out.h5");
    kill(slow, SIGCONT);
    EXPECT_EQ(end_of(slow), kExitFailed) << exists;
    EXPECT_THAT(
        read("slow.err"),  // behind progress, on a slow machine
        testing::EndsWith("quadgate: error: out.h5: another process has written it since this one "
                          "began to; it stays as it is\n"));
    EXPECT_TRUE(read("out.h5") == whole);
    EXPECT_FALSE(has_file_like("out.h5.tmp-"));
  }
}

TEST_F(RacesTest, OfTwoRunsInOneFolderOneTrains) {
  std::vector<pid_t> runs{start_beside(kForEver, "first.err"),
                          start_beside(kForEver, "second.err")};
  siginfo_t ended = {};
  waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
  const bool is_first = ended.si_pid == runs[0];
  EXPECT_EQ(end_of(ended.si_pid), kExitFailed);
  const std::string message = read(is_first ? "first.err" : "second.err");
  EXPECT_THAT(message, testing::AnyOf(HasSubstr("run: another process trains here\n"),
                                      HasSubstr("run: already holds a run")));
  wait_for([&] { return std::filesystem::exists(path("run/checkpoint.h5")); });
  expect_error(run({"train", "run.toml", "--resume"}), kExitFailed,
               "run: another process trains here");
  const pid_t other = runs[is_first ? 1 : 0];
  kill(other, SIGTERM);
  EXPECT_EQ(end_of(other), kExitStopped);
  EXPECT_EQ(run({"evaluate", "run/checkpoint.h5", "--data", "data.h5"}).code, kExitDone);
}

TEST_F(RacesTest, ReadersFindAWholeCheckpointWhileItIsReplaced) {
  const pid_t trains =
      start_beside(std::string(kForEver) + "--quiet --set train.checkpoint_every_steps=1", "err");
  wait_for([&] { return std::filesystem::exists(path("run/best.h5")); });
  std::string before = read("run/checkpoint.h5");
  for (int round = 0; round < 12; ++round) {
    for (const std::string file : {"run/checkpoint.h5", "run/best.h5"}) {
      const Outcome evaluated = run({"evaluate", file, "--data", "data.h5"});
      EXPECT_EQ(evaluated.code, kExitDone) << evaluated.err;
    }
    EXPECT_EQ(run({"inspect", "run/checkpoint.h5"}).code, kExitDone);
    EXPECT_EQ(run({"export", "run/checkpoint.h5", "-o", "model.pt"}).code, kExitDone);
    wait_for([&] { return read("run/checkpoint.h5") != before; });
    before = read("run/checkpoint.h5");
  }
  kill(trains, SIGTERM);
  EXPECT_EQ(end_of(trains), kExitStopped);
}

}  // namespace
}  // namespace quadgate::apps
