// Sweeps: a second process in a run folder; a run that was stopped before its first checkpoint; a
// damaged checkpoint and the saves after it; disks that are full, read-only or gone while a thread
// writes checkpoints. No tolerance: text, and files byte for byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "apps/commands.h"
#include "apps/run_lock.h"
#include "engine/error.h"
#include "io/checkpoint.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

class RunFolderTest : public Workspace {
 protected:
  static std::vector<std::string> train(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"train", "run.toml", "--quiet", "--threads", "1"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
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
  EXPECT_EQ(find_whole_checkpoint(path("run/checkpoint.h5")).damage, "");
}

TEST_F(RunFolderTest, RefusesAFileThatIsWholeButNoCheckpoint) {
  ASSERT_EQ(run(train({"--set", "train.epochs=2"})).code, kExitDone);
  write("run/checkpoint.h5", read("data.h5"));
  const auto before = files();
  expect_error(run(train({"--resume"})), kExitFailed, "expected 'quadgate-checkpoint'");
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace quadgate::apps
