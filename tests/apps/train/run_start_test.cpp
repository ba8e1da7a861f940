// Sweeps: what resuming reads of a checkpoint of several MB, whole and damaged. Tolerance: half the
// file for what is no checksum and no value.

#include "apps/train/run_start.h"

#include <gtest/gtest.h>

#include "apps/common/command.h"
#include "apps/train/run_plan.h"
#include "tests/apps/workspace.h"
#include "tests/support/bytes_read.h"

namespace quadgate::apps {
namespace {

class RunStartTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    const Outcome trained = run({"train", "run.toml", "--quiet", "--set", "model.hidden_size=128",
                                 "--set", "train.epochs=2"});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
  }

  /// Resumes, in this process. The bytes that it reads meanwhile, over those of a checkpoint.
  double files_read() const {
    const RunFolder folder(path("run"));
    RunConfig config = read_run_config(folder.run_file());
    Dataset data(path("data.h5"));
    complete(config, data);
    Arena arena(1);
    Network network(model_of(config, data), 9, config.train.batch_size, arena);
    Trainer trainer(network, config.train.optimizer, 1);
    const std::int64_t before = bytes_read();
    const Origin origin = open_origin(config, folder, true);
    EXPECT_GE(resume(config, folder, origin, data, trainer).epoch, 1);
    return static_cast<double>(bytes_read() - before) /
           static_cast<double>(std::filesystem::file_size(folder.checkpoint()));
  }
};

TEST_F(RunStartTest, ReadsACheckpointOnceForItsChecksumAndOnceForItsValues) {
  if (bytes_read() == 0) {
    GTEST_SKIP() << "SKIPPED: this system does not count what a process reads";
  }
  EXPECT_LT(files_read(), 2.5);
}

TEST_F(RunStartTest, ReadsADamagedOneOnceMore) {
  if (bytes_read() == 0) {
    GTEST_SKIP() << "SKIPPED: this system does not count what a process reads";
  }
  std::string damaged = read("run/checkpoint.h5");
  damaged[damaged.size() / 2] ^= 1;
  write("run/checkpoint.h5", damaged);
  EXPECT_LT(files_read(), 3.5);
}

}  // namespace
}  // namespace quadgate::apps
