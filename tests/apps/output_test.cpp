// Sweeps commands over outputs that are an input by another name, that hold a file of another kind,
// or that nobody can read. No tolerance: files stay as they were, byte for byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

class OutputTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    write("a.csv", "x,y\n1,2\n3,4\n5,6\n7,8\n");
    ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=1", "--quiet"}).code, kExitDone);
    std::filesystem::copy_file(path("run/checkpoint.h5"), path("model.h5"));
    ASSERT_EQ(run({"export", "model.h5", "-o", "model.pt"}).code, kExitDone);
  }

  void expect_refused(const std::vector<std::string>& args, const std::string& part) const {
    SCOPED_TRACE(testing::PrintToString(args));
    const auto before = files();
    expect_error(run(args), kExitWrongUse, part);
    EXPECT_EQ(files(), before);
  }

  /// The exit code of the program under a shell's redirections.
  int code_of(const std::string& args, const std::string& redirections) const {
    const std::string command =
        "cd '" + path("").string() + "' && " QUADGATE_BIN " " + args + " " + redirections;
    return WEXITSTATUS(std::system(command.c_str()));
  }
};

TEST_F(OutputTest, IsNoInputByAnyName) {
  for (const std::string name : {"a.csv", "data.h5", "model.h5", "model.pt"}) {
    std::filesystem::create_hard_link(path(name), path("hard_" + name));
    std::filesystem::create_symlink(path(name), path("soft_" + name));
  }
  for (const std::string kind : {"", "./", "hard_", "soft_"}) {
    expect_refused({"prepare", "csv", "a.csv", "-o", kind + "a.csv"}, "a.csv");
    expect_refused({"predict", "model.h5", "--data", "data.h5", "-o", kind + "data.h5"}, "data.h5");
    expect_refused({"predict", "model.h5", "--data", "data.h5", "-o", kind + "model.h5"},
                   "model.h5");
    expect_refused({"export", "model.h5", "-o", kind + "model.h5"}, "model.h5");
    expect_refused({"import", "model.pt", "-o", kind + "model.pt"}, "model.pt");
  }
}

TEST_F(OutputTest, ReplacesNoFileOfAnotherKindUnlessForced) {
  std::filesystem::copy_file(path("data.h5"), path("other.h5"));
  std::filesystem::copy_file(path("model.h5"), path("old.h5"));
  expect_refused({"prepare", "csv", "a.csv", "-o", "old.h5"}, "old.h5");
  expect_refused({"predict", "model.h5", "--data", "data.h5", "-o", "other.h5"}, "other.h5");
  expect_refused({"predict", "model.h5", "--data", "data.h5", "-o", "old.h5"}, "old.h5");
  expect_refused({"import", "model.pt", "-o", "other.h5"}, "other.h5");
  expect_refused({"export", "model.h5", "-o", "other.h5"}, "other.h5");
  EXPECT_EQ(run({"export", "model.h5", "-o", "old.h5"}).code, kExitDone);
  EXPECT_EQ(run({"import", "model.pt", "-o", "other.h5", "--force"}).code, kExitDone);
  EXPECT_EQ(run({"prepare", "csv", "a.csv", "-o", "old.h5", "--force"}).code, kExitDone);
}

TEST_F(OutputTest, FailsWhereWhatIsPrintedIsLost) {
  for (const std::string args :
       {"--help", "train --help", "inspect data.h5", "evaluate model.h5 --data data.h5",
        "predict model.h5 --data data.h5 -o out.csv", "prepare csv a.csv -o out.h5"}) {
    EXPECT_EQ(code_of(args, "> /dev/full 2> err"), kExitFailed) << args;
    EXPECT_THAT(read("err"), testing::HasSubstr("standard output")) << args;
    EXPECT_EQ(code_of(args, ">&- 2> err"), kExitFailed) << args;
  }
}

TEST_F(OutputTest, ClosedStreamsTakeNothingIntoAFile) {
  EXPECT_EQ(code_of("train run.toml --set output.dir=closed --set train.epochs=1", "<&- >&- 2>&-"),
            kExitDone);
  for (const std::string name : {"checkpoint.h5", "metrics.jsonl"}) {
    EXPECT_EQ(read("closed/" + name).find("epoch 1"), std::string::npos) << name;
  }
  EXPECT_EQ(run({"evaluate", "closed/checkpoint.h5", "--data", "data.h5"}).code, kExitDone);
}

}  // namespace
}  // namespace quadgate::apps
