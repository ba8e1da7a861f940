// Sweeps commands over outputs that are an input by another name, that hold a file of another kind,
// or that nobody can read; over closed streams, and where no /proc is mounted. No tolerance: files
// stay as they were, or are the same, byte for byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"
#include "tests/support/paths.h"

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
        "cd '" + path("").string() + "' && " + paths::program() + " " + args + " " + redirections;
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

// What train, export and import print are messages, on stderr.
TEST_F(OutputTest, FailsWhereWhatIsPrintedIsLost) {
  write("text.txt", "we eat. they eat. we sleep. they sleep. we eat.");
  write("tags.conllu", "1\twe\t_\tPRON\t_\t_\t_\t_\t_\t_\n\n1\teat\t_\tVERB\t_\t_\t_\t_\t_\t_\n\n");
  ASSERT_EQ(run({"prepare", "text", "text.txt", "-o", "text.h5"}).code, kExitDone);
  ASSERT_EQ(run({"prepare", "conllu", "tags.conllu", "-o", "tags.h5"}).code, kExitDone);
  for (const std::string kind : {"text", "tags"}) {
    const Outcome trained =
        run({"train", "run.toml", "--set", "train.epochs=1", "--set", "data.path=" + kind + ".h5",
             "--set", "model.embedding_size=4", "--set", "output.dir=" + kind});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
  }
  const std::string shape = " --seq-len 2 --batch 2 --input-size 2 --hidden-size 4 --seconds 0.01";
  for (const std::string& args :
       {std::string("--help"), std::string("train --help"), std::string("inspect data.h5"),
        std::string("inspect model.h5"), std::string("evaluate model.h5 --data data.h5"),
        std::string("predict model.h5 --data data.h5 -o out.csv"),
        std::string("predict model.h5 --data data.h5 -o out.h5"),
        std::string("prepare csv a.csv -o out.h5 --force"),
        std::string("train run.toml --json --set train.epochs=1 --set output.dir=told"),
        std::string("generate text/checkpoint.h5 --length 5"),
        std::string("tag tags/checkpoint.h5 text.txt"), "bench" + shape,
        "scale --threads 1 -o s.json" + shape}) {
    EXPECT_EQ(code_of(args, "> /dev/full 2> err"), kExitFailed) << args;
    EXPECT_THAT(read("err"), testing::HasSubstr("standard output")) << args;
    std::filesystem::remove_all(path("told"));
    EXPECT_EQ(code_of(args, ">&- 2> err"), kExitFailed) << args;
    std::filesystem::remove_all(path("told"));
  }
}

TEST_F(OutputTest, ClosedStreamsTakeNothingIntoAFile) {
  const std::string closed = "<&- >&- 2>&-";
  const std::string train = "train run.toml --set output.dir=closed --set train.epochs=";
  EXPECT_EQ(code_of(train + "1", closed), kExitDone);
  EXPECT_EQ(code_of(train + "2 --resume", closed), kExitDone);
  for (const std::string name : {"checkpoint.h5", "metrics.jsonl"}) {
    EXPECT_EQ(read("closed/" + name).find("epoch 1"), std::string::npos) << name;
  }
  const std::string metrics = read("closed/metrics.jsonl");
  EXPECT_EQ(std::ranges::count(metrics, '\n'), 2);
  const std::string evaluate = "evaluate closed/checkpoint.h5 --data data.h5";
  EXPECT_EQ(code_of(evaluate, "> told"), kExitDone);
  EXPECT_EQ(code_of(evaluate, "<&- 2>&- > told_beside_closed"), kExitDone);
  EXPECT_EQ(read("told_beside_closed"), read("told"));
  const std::string predict = "predict closed/checkpoint.h5 --data data.h5 -o ";
  EXPECT_EQ(code_of(predict + "a.out.csv", "> told"), kExitDone);
  EXPECT_EQ(code_of(predict + "b.out.csv", "<&- 2>&- > told"), kExitDone);
  EXPECT_EQ(read("b.out.csv"), read("a.out.csv"));
  EXPECT_EQ(code_of(predict + "c.out.csv", closed), kExitFailed) << "what it prints is lost";
}

TEST_F(OutputTest, NeedsNoProc) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "SKIPPED: the sanitizer itself needs /proc";
#endif
#endif
  const std::string hidden = "unshare -rm sh -c 'mount -t tmpfs none /proc && ";
  if (std::system((hidden + "test ! -e /proc/self' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "SKIPPED: this system lets nobody hide /proc";
  }
  const auto without = [&](const std::string& args) {
    return WEXITSTATUS(std::system((hidden + "cd " + path("").string() + " && exec " +
                                    paths::program() + " " + args + " > told 2> err'")
                                       .c_str()));
  };
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=2", "--set", "output.dir=with"}).code,
            kExitDone);
  const std::string train = "train run.toml --set output.dir=without --set train.epochs=";
  EXPECT_EQ(without(train + "1"), kExitDone) << read("err");
  EXPECT_EQ(without(train + "2 --resume"), kExitDone) << read("err");
  EXPECT_EQ(without("predict without/checkpoint.h5 --data data.h5 -o without.csv"), kExitDone)
      << read("err");
  const std::vector<std::string> predict{"predict", "with/checkpoint.h5", "--data", "data.h5", "-o",
                                         "with.csv"};
  EXPECT_EQ(run(predict).code, kExitDone);
  EXPECT_EQ(read("without.csv"), read("with.csv"));
  EXPECT_EQ(without("evaluate without/checkpoint.h5 --data data.h5"), kExitDone) << read("err");
  EXPECT_EQ(read("told"), run({"evaluate", "with/checkpoint.h5", "--data", "data.h5"}).out);
  for (const std::string args : {"inspect model.h5", "export model.h5 -o other.pt",
                                 "prepare csv a.csv -o other.h5", "import model.pt -o back.h5"}) {
    EXPECT_EQ(without(args), kExitDone) << read("err");
  }
}

}  // namespace
}  // namespace quadgate::apps
