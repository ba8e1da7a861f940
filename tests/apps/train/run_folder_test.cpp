// Sweeps: a second process in a run folder; a run that was stopped before its first checkpoint; a
// damaged checkpoint and the saves after it; disks that are full, read-only or gone while a thread
// writes checkpoints. No tolerance: text, and files byte for byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "apps/common/command.h"
#include "apps/train/run_lock.h"
#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "tests/apps/workspace.h"

namespace {

std::atomic<int> flock_error = 0;

}  // namespace

// Stands in for the C library's in this program.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
extern "C" int flock(int descriptor, int operation) noexcept {
  if (flock_error != 0) {
    errno = flock_error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}

namespace quadgate::apps {
namespace {

using ::testing::EndsWith;

class RunFolderTest : public Workspace {
 protected:
  static std::vector<std::string> train(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"train", "run.toml", "--quiet", "--threads", "1"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }

  /// Runs the program as a user to whom the files are another's.
  Outcome run_as_nobody(const std::vector<std::string>& args) const {
    constexpr uid_t kNobody = 65534;
    return finish(start(args, {}, kNobody));
  }
};

TEST_F(RunFolderTest, BelongsToOneProcess) {
  ASSERT_EQ(run(train({"--set", "train.epochs=1"})).code, kExitDone);
  const auto before = files();
  {
    const RunLock lock(path("run"));
    expect_error(run(train({"--resume"})), kExitFailed, "run: another process trains here\n");
    EXPECT_EQ(files(), before);
    EXPECT_THROW(RunLock again(path("run")), FileError);
  }
  EXPECT_EQ(run(train({"--resume"})).code, kExitDone);
}

TEST_F(RunFolderTest, IsTakenOnceARunThatWasKilledHasEnded) {
  std::filesystem::create_directories(path("run"));
  auto ending = std::make_optional<RunLock>(path("run"));
  std::jthread system([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ending.reset();
  });
  EXPECT_NO_THROW(RunLock(path("run")));
}

TEST_F(RunFolderTest, TellsOfAFileSystemWithoutLocks) {
  std::filesystem::create_directories(path("run"));
  flock_error = ENOLCK;
  const RunLock lock(path("run"));
  flock_error = 0;
  EXPECT_THAT(lock.warning(),
              EndsWith("run/lock: cannot be locked: No locks available; let no other "
                       "process train into this folder"));
}

TEST_F(RunFolderTest, IsRefusedWhileARunIsTraining) {
  const pid_t child = start(train({"--set", "train.epochs=1000000"}));
  while (!std::filesystem::exists(path("run/checkpoint.h5"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Not with run(): both programs would write their output into the same file.
  EXPECT_THROW(RunLock lock(path("run")), FileError);
  kill(child, SIGKILL);
  finish(child);
  const RunLock lock(path("run"));  // it went with the process
}

TEST_F(RunFolderTest, BeginsAgainWithoutACheckpoint) {
  ASSERT_EQ(run(train({"--set", "output.dir=reference"})).code, kExitDone);
  ASSERT_EQ(run(train({"--set", "train.epochs=1"})).code, kExitDone);
  std::filesystem::remove(path("run/checkpoint.h5"));
  const Outcome resumed = run(train({"--resume"}));
  EXPECT_EQ(resumed.code, kExitDone);
  EXPECT_EQ(resumed.err,
            "quadgate: warning: run: stopped before its first checkpoint; beginning at the "
            "start\n");
  EXPECT_TRUE(read("run/best.h5") == read("reference/best.h5"));
  std::filesystem::remove(path("run/checkpoint.h5"));
  std::filesystem::remove(path("run/checkpoint.prev.h5"));
  expect_error(run(train({"--resume", "--set", "train.lr=1"})), kExitWrongUse, "train.lr");
}

TEST_F(RunFolderTest, KeepsTheGoodCheckpointWhenTheNewestIsDamaged) {
  ASSERT_EQ(run(train({"--set", "train.epochs=2"})).code, kExitDone);
  const std::string good = read("run/checkpoint.prev.h5");
  write("run/checkpoint.h5", "damaged");
  // Dies at the first save: what it went on from is still there.
  const Outcome full = run(train({"--resume", "--set", "train.epochs=2"}), good.size() / 2);
  EXPECT_EQ(full.code, kExitFailed);
  EXPECT_EQ(
      full.err,
      "quadgate: warning: run/checkpoint.h5: expected an HDF5 file, found another kind; going "
      "on from the one before it, run/checkpoint.prev.h5\n"
      "quadgate: error: run/checkpoint.h5: cannot be written: File too large\n");
  EXPECT_TRUE(read("run/checkpoint.h5") == good);
  ASSERT_EQ(run(train({"--resume", "--set", "train.epochs=2"})).code, kExitDone);
  EXPECT_TRUE(read("run/checkpoint.prev.h5") == good);
  EXPECT_EQ(open_whole_checkpoint(path("run/checkpoint.h5")).damage, "");
}

TEST_F(RunFolderTest, RefusesAFileThatIsWholeButNoCheckpoint) {
  ASSERT_EQ(run(train({"--set", "train.epochs=2"})).code, kExitDone);
  write("run/checkpoint.h5", read("data.h5"));
  const auto before = files();
  expect_error(run(train({"--resume"})), kExitFailed, "expected 'quadgate-checkpoint'");
  EXPECT_EQ(files(), before);
}

TEST_F(RunFolderTest, NamesWhatCannotBeWritten) {
  std::filesystem::create_directories(path("run/lock"));
  expect_error(run(train()), kExitFailed, "run/lock: cannot be written: Is a directory");
  std::filesystem::remove(path("run/lock"));
  std::filesystem::create_directories(path("run/run.toml"));
  const Outcome outcome = run(train());
  expect_error(outcome, kExitFailed, "run/run.toml: cannot be written: Is a directory");
  EXPECT_FALSE(std::filesystem::exists(path("run/checkpoint.h5")));
}

TEST_F(RunFolderTest, NamesAFolderThatGoesWhileItTrains) {
  const Outcome outcome = interrupt(train({"--set", "train.epochs=1000000"}), 0, [&] {
    if (!std::filesystem::exists(path("run/checkpoint.prev.h5"))) return false;
    std::filesystem::rename(path("run"), path("gone"));
    return true;
  });
  expect_error(outcome, kExitFailed, ": cannot be written: No such file or directory");
  EXPECT_EQ(open_whole_checkpoint(path("gone/checkpoint.h5")).damage, "");
}

TEST_F(RunFolderTest, NamesAReadOnlyFolder) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: only root can become another user";
  ASSERT_EQ(run(train({"--set", "train.epochs=1"})).code, kExitDone);
  std::filesystem::permissions(path(""), std::filesystem::perms{0755});
  std::filesystem::permissions(path("w"), std::filesystem::perms{0777});
  for (const auto& [name, text] : files()) {
    std::filesystem::permissions(path(name), std::filesystem::perms{0644});
  }
  if (run_as_nobody({"--help"}).code != kExitDone) {
    GTEST_SKIP() << "SKIPPED: another user may not run the program here";
  }
  const auto before = files();
  expect_error(run_as_nobody(train({"--resume"})), kExitFailed,
               "run/lock: cannot be written: Permission denied");
  expect_error(run_as_nobody(train({"--set", "output.dir=new"})), kExitFailed,
               "new: cannot create the folder: Permission denied");
  // The lock can be had, but no file be made.
  std::filesystem::permissions(path("run/lock"), std::filesystem::perms{0666});
  expect_error(run_as_nobody(train({"--resume", "--set", "train.epochs=2"})), kExitFailed,
               ": cannot be written: Permission denied");
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace quadgate::apps
