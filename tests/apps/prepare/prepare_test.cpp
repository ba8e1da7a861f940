// Sweeps: splits by file for every kind, compressed data sets, how far it is, and a stop half way.

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "apps/common/command.h"
#include "apps/prepare/prepare_progress.h"
#include "io/data/dataset.h"
#include "io/hdf5/file.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class PrepareTest : public Workspace {
 protected:
  void expect_written(const std::vector<std::string>& args, const std::string& summary) const {
    std::vector<std::string> command{"prepare"};
    command.insert(command.end(), args.begin(), args.end());
    command.insert(command.end(), {"-o", "out.h5"});
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("wrote out.h5: " + summary));
    const bool tells = args[0] == "csv";  // what it found in the table
    EXPECT_EQ(outcome.err.find(": fields between ") != std::string::npos, tells) << outcome.err;
  }
};

TEST_F(PrepareTest, TakesAValidFileOfEveryKind) {
  write("a.csv", "t,a\nx,1\nx,2\nx,3\n");
  write("b.csv", "t,a\nx,4\nx,5\n");
  expect_written({"csv", "a.csv", "--valid", "b.csv", "--test", "a.csv"},
                 "3 train, 2 valid, 3 test rows");
  write("a.ts", "@classLabel true no yes\n@data\n1,2:no\n3:yes\n");
  write("b.ts", "@classLabel true no yes\n@data\n4:yes\n");
  expect_written({"ts", "a.ts", "--valid", "b.ts"}, "2 train, 1 valid, 0 test sequences");
  write("a.txt", "abcabc");
  write("b.txt", "abc");
  expect_written({"text", "a.txt", "--valid", "b.txt", "--test", "b.txt"},
                 "6 train, 3 valid, 3 test tokens");
  write("images", std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x01\x07\x09", 18));
  write("labels", std::string("\0\0\x08\x01\0\0\0\x02\0\x01", 10));
  expect_written({"idx", "images", "labels", "--valid", "images", "labels"},
                 "2 train, 2 valid, 0 test sequences");
}

TEST_F(PrepareTest, ReadsTablesOfAllKinds) {
  std::string table = "time;city;a;b\n";
  for (int hour = 0; hour < 24; ++hour) {
    for (const char* city : {"Ulm", "Bonn"}) {
      table += (hour < 10 ? "01.07.2016 0" : "01.07.2016 ") + std::to_string(hour) + ":00;" + city +
               ";" + std::to_string(hour) + ",5;" + (hour == 3 ? "NA" : "1") + "\n";
    }
  }
  write("a.csv", table);
  const std::vector<std::string> args{"csv",          "a.csv",
                                      "--group",      "city",
                                      "--valid-from", "2016-07-01 16:00",
                                      "--test-from",  "2016-07-01 20:00",
                                      "--missing",    "forward",
                                      "--columns",    "b,a",
                                      "--standardize"};
  expect_written(args,
                 "32 train, 8 valid, 8 test rows, standardized\n"
                 "series: 2\nmissing values: 2 filled (forward)\n");
  Dataset dataset(path("out.h5"), Window{.input_len = 4, .horizon = 2, .targets = {"a"}});
  EXPECT_THAT(dataset.description().feature_names, ::testing::ElementsAre("b", "a"));
  EXPECT_EQ(dataset.split("train").size(), 2 * 11);
  EXPECT_EQ(dataset.split("test").size(), 2 * 3);
  EXPECT_EQ(dataset.description().mean[1], 8);

  write("run.toml",
        "[data]\npath = \"out.h5\"\ninput_len = 4\nhorizon = 2\n[model]\nhidden_size = 4\n"
        "[train]\nepochs = 1\n[output]\ndir = \"run\"\n");
  const Outcome trained = run({"train", "run.toml", "--quiet"});
  EXPECT_EQ(trained.code, kExitDone) << trained.err;
}

TEST_F(PrepareTest, NamesOptionsThatDoNotFitTheTable) {
  write("a.csv", "t,a\n2016-07-01,1\n2016-07-02,\n");
  const auto error = [&](const std::vector<std::string>& options, int code,
                         const std::string& part) {
    std::vector<std::string> command{"prepare", "csv", "a.csv", "-o", "o.h5"};
    command.insert(command.end(), options.begin(), options.end());
    expect_error(run(command), code, part);
    EXPECT_FALSE(std::filesystem::exists(path("o.h5")));
  };
  error({}, kExitFailed, "a.csv:3: column 'a': expected a number, found ''");
  error({"--group", "g"}, kExitWrongUse,
        "a.csv: group: expected one of the columns t, a, found 'g'");
  error({"--columns", "b"}, kExitWrongUse,
        "a.csv: columns: expected one of the columns t, a, found 'b'");
  error({"--valid-from", "soon"}, kExitWrongUse, "a.csv: --valid-from soon: expected a time like");
  error({"--delimiter", ";;"}, kExitWrongUse, "--delimiter: expected one character or tab");
  error({"--missing", "guess"}, kExitWrongUse, "--missing");
  error({"--time", "a name that takes memory of the heap", "--static", "b", "--calendar", "noon"},
        kExitWrongUse, "--calendar: expected some of minute, hour");
}

TEST_F(PrepareTest, WritesToANameOfHdf5) {
  write("a.csv", "t,a\nx,1\nx,2\n");
  for (const char* name : {"o.txt", "o", "o.csv", "o.h5.gz"}) {
    expect_error(
        run({"prepare", "csv", "a.csv", "-o", name}), kExitWrongUse,
        std::string("--output: expected a name in .h5 or .hdf5, of a data set, found ") + name);
    EXPECT_FALSE(std::filesystem::exists(path(name)));
  }
  EXPECT_EQ(run({"prepare", "csv", "a.csv", "-o", "o.hdf5"}).code, kExitDone);
}

TEST_F(PrepareTest, SaysThatTimesOfStepsAreLeftOut) {
  write("a.ts", "@timeStamps true\n@classLabel true a b\n@data\n(0,1),(5,2):a\n");
  EXPECT_THAT(run({"prepare", "ts", "a.ts", "-o", "o.h5"}).out,
              HasSubstr("a.ts:\ntimes of steps are left out: each step is one\n"));
}

TEST_F(PrepareTest, AValidFileStandsBesideNoFraction) {
  write("a.csv", "a\n1\n2\n3\n");
  expect_error(
      run({"prepare", "csv", "a.csv", "--valid", "a.csv", "--valid-fraction", "0.5", "-o", "o.h5"}),
      kExitWrongUse, "--valid-fraction: expected none beside a validation file");
}

TEST_F(PrepareTest, ASeedDrawsOtherRowsButOfNoSeries) {
  std::string rows = "@classLabel true no yes\n@data\n";
  for (int row = 0; row < 40; ++row) rows += std::to_string(row) + (row % 4 ? ":no\n" : ":yes\n");
  write("a.ts", rows);
  const auto drawn = [&](const char* seed) {
    expect_written({"ts", "a.ts", "--valid-fraction", "0.25", "--seed", seed},
                   "30 train, 10 valid, 0 test sequences");
    const hdf5::File file = hdf5::File::open(path("out.h5"));
    std::vector<std::int64_t> labels(10);
    file.array("valid/y").read(0, 10, labels);
    EXPECT_THAT(std::ranges::count(labels, 1),
                ::testing::AllOf(::testing::Ge(2), ::testing::Le(3)));
    return file.array("valid/x").read_floats();
  };
  const auto first = drawn("1");
  EXPECT_EQ(drawn("1"), first);
  EXPECT_NE(drawn("18446744073709551615"), first);
  write("a.tsf", "@attribute name string\n@data\na:1,2,3,4\n");
  expect_error(run({"prepare", "tsf", "a.tsf", "--seed", "2", "-o", "o.h5"}), kExitWrongUse,
               "--seed: expected none beside series, as a.tsf holds");
}

TEST_F(PrepareTest, CompressesToTheSameData) {
  std::string series = "a,b\n";
  for (int row = 0; row < 20000; ++row) series += std::to_string(row % 7) + ",0.5\n";
  write("a.csv", series);
  const auto values = [&](const std::vector<std::string>& options) {
    std::vector<std::string> args{"csv", "a.csv", "--valid-fraction", "0.1", "--standardize"};
    args.insert(args.end(), options.begin(), options.end());
    expect_written(args, "18000 train, 2000 valid, 0 test rows, standardized");
    return hdf5::File::open(path("out.h5")).array("train/x").read_floats();
  };
  const auto plain = values({});
  const auto size = std::filesystem::file_size(path("out.h5"));
  EXPECT_EQ(values({"--gzip"}), plain);
  EXPECT_LT(std::filesystem::file_size(path("out.h5")), size / 10);
}

TEST_F(PrepareTest, LeavesNothingWhenItIsStopped) {
  write("a.txt", std::string(std::size_t{1} << 25, 'x'));
  write("out.h5", "as it was");
  const auto has_temporary_file = [this] {
    const std::filesystem::directory_iterator files(path(""));
    return std::any_of(begin(files), end(files), [](const auto& file) {
      return file.path().filename().string().starts_with("out.h5.tmp-");
    });
  };
  const Outcome stopped =
      interrupt({"prepare", "text", "a.txt", "-o", "out.h5"}, SIGINT, has_temporary_file);
  EXPECT_EQ(stopped.code, -SIGINT);
  EXPECT_THAT(stopped.err, EndsWith("quadgate: stopped by a signal\n"));
  EXPECT_FALSE(has_temporary_file());
  EXPECT_EQ(read("out.h5"), "as it was");
}

TEST(PrepareProgressTest, TellsBytesSpeedAndTimeLeft) {
  const std::filesystem::path path = "a.csv";
  EXPECT_EQ(progress_text({"reading", path, 1'200'000'000, 5'000'000'000}, 12),
            "reading a.csv  1.2 of 5.0 GB  100 MB/s  0:38 left");
  EXPECT_EQ(progress_text({"writing", path, 2'500'000, 10'000'000}, 0.5),
            "writing a.csv  2.5 of 10.0 MB  5 MB/s  0:02 left");
  EXPECT_EQ(progress_text({"reading", path, 2'500'000, 0}, 1), "reading a.csv  2.5 MB  2 MB/s");
}

}  // namespace
}  // namespace quadgate::apps
