// Sweeps: raw files of every kind that a model cannot take, each of which is one line; the future
// of series beside their windows, old data sets without times, histories as short as can be, and
// what is left behind. tests/torch/new_data_test.py compares the numbers.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PredictTest : public Workspace {
 protected:
  /// Rows of each hour from `first` on but `skipped`.
  static std::string hours(int first, int count, int skipped = -1, const char* minutes = "00") {
    std::string text = "at,a,b\n";
    for (int i = first; i < first + count; ++i) {
      if (i == skipped) continue;
      text +=
          fmt::format("2020-01-{:02} {:02}:{},{},{}\n", 1 + i / 24, i % 24, minutes, i % 5, i % 7);
    }
    return text;
  }

  /// A forecast of a from a and b, in run/.
  void train_forecast(const std::string& targets = "[\"a\"]") const {
    write("old.csv", hours(0, 60));
    ASSERT_EQ(run({"prepare", "csv", "old.csv", "--standardize", "-o", "old.h5"}).code, kExitDone);
    write("run.toml",
          "[data]\npath = \"old.h5\"\ninput_len = 6\nhorizon = 2\ntargets = " + targets +
              "\n[model]\nhidden_size = 4\n[train]\nepochs = 1\n[output]\ndir = \"run\"\n");
    ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  }

  Outcome predict(const std::string& file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"predict", "run/checkpoint.h5", "--input", file, "-o", "out.csv"};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }

  /// Expects one line, and no file.
  void expect_refused(const Outcome& outcome, int code, const std::string& part) const {
    expect_error(outcome, code, part);
    EXPECT_FALSE(std::filesystem::exists(path("out.csv")));
    for (const auto& [name, bytes] : files()) EXPECT_THAT(name, testing::Not(HasSubstr("input")));
  }
};

TEST_F(PredictTest, RefusesTablesThatAreNotAsTheModelKnowsThem) {
  train_forecast();
  write("lacks.csv", "at,a\n2020-01-01 00:00,1\n2020-01-01 01:00,1\n");
  expect_refused(predict("lacks.csv"), kExitFailed, "lacks.csv: expected a column 'b'");
  write("untimed.csv", "when,a,b\n2020-01-01 00:00,1,2\n2020-01-01 01:00,1,2\n");
  expect_refused(predict("untimed.csv"), kExitFailed, "untimed.csv: expected a column 'at'");
  write("short.csv", hours(0, 5));
  expect_refused(predict("short.csv"), kExitFailed,
                 "short.csv: expected at least 6 rows, as many as input_len, found 5");
  write("gap.csv", hours(0, 20, 16));
  expect_refused(
      predict("gap.csv"), kExitFailed,
      "gap.csv: expected a row every 1h, as the data that the model was trained on have, "
      "found 2020-01-01 15:00 and 2020-01-01 17:00 next to each other");
  std::string turned = "at,a,b\n";  // newest first
  for (int i = 19; i >= 0; --i) turned += fmt::format("2020-01-01 {:02}:00,1,2\n", i);
  write("turned.csv", turned);
  expect_refused(predict("turned.csv"), kExitFailed,
                 "turned.csv:3: column 'at': expected rows in the order of time, found "
                 "'2020-01-01 18:00' behind a later one");
  write("mixed.csv", hours(0, 20) + "2020-01-01 19:00,1,2\n2020-01-01 18:00,1,2\n");
  expect_refused(predict("mixed.csv"), kExitFailed,
                 "mixed.csv: expected rows in the order of time, found 2020-01-01 18:00 behind "
                 "2020-01-01 19:00");
  std::string quarters = "at,a,b\n";
  for (int i = 0; i < 40; ++i) {
    quarters += fmt::format("2020-01-01 {:02}:{:02},1,2\n", i / 4, i % 4 * 15);
  }
  write("quarters.csv", quarters);
  expect_refused(predict("quarters.csv"), kExitFailed,
                 "quarters.csv: column 'at': expected a row every 1h, as the data of "
                 "run/checkpoint.h5 have, found rows every 15min (quadgate prepare csv --like "
                 "run/checkpoint.h5 --resample 1h makes such rows)");
  write("missing.csv", hours(0, 20) + "2020-01-01 20:00,,1\n");
  expect_refused(predict("missing.csv"), kExitFailed,
                 "missing.csv:22: column 'a': expected a number, found '' (prepare csv with "
                 "--missing, beside --like too, ");
  ASSERT_EQ(run({"prepare", "csv", "missing.csv", "--like", "run/checkpoint.h5", "--missing",
                 "forward", "-o", "filled.h5"})
                .code,
            kExitDone);
  write("text.csv", hours(0, 20) + "2020-01-01 20:00,x,1\n");
  expect_refused(predict("text.csv"), kExitFailed, "text.csv:22: column 'a'");
  write("untold.csv", hours(0, 20) + "noon,1,1\n");
  expect_refused(predict("untold.csv"), kExitFailed,
                 "untold.csv:22: column 'at': expected a time (dates), as in the first rows, found "
                 "'noon'");
  write("empty.csv", "");
  expect_refused(predict("empty.csv"), kExitFailed, "empty.csv");
  expect_refused(predict("none.csv"), kExitFailed, "none.csv: No such file");
}

TEST_F(PredictTest, MakesRowsOfAnotherStepFit) {
  train_forecast();
  std::string quarters = "at,a,b\n";
  for (int i = 0; i < 40; ++i) {
    quarters += fmt::format("2020-01-01 {:02}:{:02},1,2\n", i / 4, i % 4 * 15);
  }
  write("quarters.csv", quarters);
  ASSERT_EQ(run({"prepare", "csv", "--like", "run/checkpoint.h5", "--resample", "1h",
                 "quarters.csv", "-o", "new.h5"})
                .code,
            kExitDone);
  const Outcome outcome =
      run({"predict", "run/checkpoint.h5", "--data", "new.h5", "--wide", "-o", "-"});
  EXPECT_THAT(outcome.out, StartsWith("series,time,step,a\n,2020-01-01 10:00:00,1,"));
  write("gap.csv", hours(0, 20, 16));  // filled, it is whole
  ASSERT_EQ(run({"prepare", "csv", "--like", "run/checkpoint.h5", "--resample", "1h", "--missing",
                 "forward", "gap.csv", "-o", "new.h5"})
                .code,
            kExitDone);
  EXPECT_EQ(run({"predict", "run/checkpoint.h5", "--data", "new.h5", "-o", "-"}).code, kExitDone);
}

TEST_F(PredictTest, LeavesNothingWhenItIsStoppedWhileItWaitsForRows) {
  train_forecast();
  write("out.csv", "as it was");
  ASSERT_EQ(::mkfifo(path("new.csv").c_str(), S_IRUSR | S_IWUSR), 0);
  const int pipe = ::open(path("new.csv").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(pipe, 0);
  const std::string rows = hours(60, 20);
  ASSERT_EQ(::write(pipe, rows.data(), rows.size()), static_cast<ssize_t>(rows.size()));
  const auto waits = [&] {
    int left = 0;
    if (::ioctl(pipe, FIONREAD, &left) != 0 || left > 0) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // until it reads on
    return true;
  };
  const Outcome stopped = interrupt(
      {"predict", "run/checkpoint.h5", "--input", "new.csv", "-o", "out.csv"}, SIGINT, waits);
  ::close(pipe);
  EXPECT_EQ(stopped.code, -SIGINT);
  EXPECT_EQ(stopped.err, "quadgate: stopped by a signal\n");
  EXPECT_EQ(read("out.csv"), "as it was");
  for (const auto& file : std::filesystem::directory_iterator(path(""))) {
    EXPECT_THAT(file.path().filename().string(), testing::Not(HasSubstr("quadgate-input")));
  }
}

TEST_F(PredictTest, RefusesOptionsThatContradictTheModel) {
  train_forecast();
  write("new.csv", hours(60, 20));
  const auto refused = [&](std::vector<std::string> args, const std::string& part) {
    args.insert(args.end(), {"--like", "run/checkpoint.h5", "-o", "new.h5"});
    expect_refused(run(args), kExitWrongUse, part);
  };
  refused({"prepare", "csv", "new.csv", "--columns", "a,b"},
          "--columns: expected none beside --like");
  refused({"prepare", "csv", "new.csv", "--standardize"}, "--standardize: expected none");
  refused({"prepare", "csv", "new.csv", "--resample", "2h"}, "--resample 2h: expected none");
  refused({"prepare", "ts", "new.csv", "--missing", "x"}, "--missing");
  refused({"prepare", "text", "new.csv"}, "new.csv: expected data for forecast");
  refused({"prepare"}, "input");
  expect_refused(
      predict("new.csv", {"--steps", "3"}), kExitWrongUse,
      "--steps 3: expected at most 2, the horizon: what comes behind it needs columns that "
      "the model reads and does not forecast: 1 (b)");
  expect_refused(predict("new.csv", {"--split", "test"}), kExitWrongUse, "--split");
  expect_refused(predict("new.csv", {"--probabilities"}), kExitWrongUse, "--probabilities");
  expect_refused(run({"predict", "run/checkpoint.h5", "-o", "out.csv"}), kExitWrongUse, "--data");
  expect_refused(run({"predict", "run/checkpoint.h5", "--data", "old.h5", "--split", "train",
                      "--wide", "-o", "out.csv"}),
                 kExitWrongUse, "--wide: expected --windows beside --split");
  expect_refused(run({"predict", "run/checkpoint.h5", "--input", "new.csv", "-o", "new.csv"}),
                 kExitWrongUse, "expected another file than the input");
}

TEST_F(PredictTest, ForecastsBehindTheShortestHistory) {
  train_forecast(R"(["b", "a"])");
  write("new.csv", hours(0, 6));
  EXPECT_EQ(predict("new.csv", {"--steps", "5"}).code, kExitDone);
  const std::string text = read("out.csv");
  EXPECT_THAT(text, StartsWith("series,time,target,step,prediction,truth\n"
                               ",2020-01-01 06:00:00,b,1,"));
  EXPECT_THAT(text, HasSubstr("\n,2020-01-01 10:00:00,a,5,"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 11);
  expect_refused(
      (std::filesystem::remove(path("out.csv")), predict("new.csv", {"--windows"})), kExitFailed,
      "new.csv: dataset 'train/x': the split is empty: no 6 rows of input and 2 of targets fit");
}

TEST_F(PredictTest, NumbersRowsOfADataSetWithoutTimes) {
  std::string rows = "a,b\n";
  for (int i = 0; i < 40; ++i) rows += fmt::format("{},{}\n", i % 5, i % 7);
  write("old.csv", rows);
  ASSERT_EQ(run({"prepare", "csv", "old.csv", "--test-fraction", "0.3", "-o", "old.h5"}).code, 0);
  write("run.toml",
        "[data]\npath = \"old.h5\"\ninput_len = 6\nhorizon = 2\n[model]\nhidden_size = 4\n[train]\n"
        "epochs = 1\n[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  const auto out = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"predict", "run/checkpoint.h5", "--data", "old.h5", "-o", "-"});
    return run(more).out;
  };
  EXPECT_THAT(out({}), StartsWith("series,time,target,step,prediction,truth\n,40,a,1,"));
  EXPECT_THAT(out({"--windows"}), StartsWith("series,time,target,step,prediction,truth\n,28,a,1,"));
  EXPECT_THAT(out({"--windows"}), HasSubstr(",3\n,28,b,1,"));  // 28 % 5
  EXPECT_THAT(out({"--windows", "--split", "train"}), HasSubstr("\n,6,a,1,"));
  EXPECT_THAT(out({"--split", "test"}), StartsWith("row,a+1,b+1,a+2,b+2\n0,"));
}

TEST_F(PredictTest, RefusesSeriesOfAnotherFrequency) {
  const auto series = [](const std::string& frequency) {
    return "@attribute n string\n@attribute t date\n@frequency " + frequency +
           "\n@data\na:2020-01-01:1,2,3,4,5,6,7,8,9\n";
  };
  write("old.tsf", series("daily"));
  ASSERT_EQ(run({"prepare", "tsf", "old.tsf", "-o", "old.h5"}).code, kExitDone);
  write("run.toml",
        "[data]\npath = \"old.h5\"\ninput_len = 3\nhorizon = 1\n[model]\nhidden_size = 2\n"
        "[train]\nepochs = 1\n[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  write("hourly.tsf", series("hourly"));
  expect_refused(predict("hourly.tsf"), kExitFailed,
                 "hourly.tsf: @frequency: expected a row every 1d, as the data of "
                 "run/checkpoint.h5 have, found rows every 1h");
  write("odd.tsf", series("dayly"));
  expect_refused(predict("odd.tsf"), kExitFailed,
                 "odd.tsf:4: @frequency: expected hourly, daily, weekly, monthly, quarterly, "
                 "yearly, half_hourly, 10_minutes or the like, found 'dayly'");
  write("none.tsf", "@attribute n string\n@attribute t date\n@data\na:2020-01-01:1,2,3,4,5\n");
  const Outcome outcome = predict("none.tsf");
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.err, HasSubstr("none.tsf: the times of the series are left out: no line "
                                     "@frequency tells how far they are from each other\n"));
  EXPECT_THAT(read("out.csv"), HasSubstr("a,5,value,1,"));
}

TEST_F(PredictTest, RefusesSequencesThatTheModelCannotTake) {
  write("old.ts", "@classLabel true up down\n@data\n1,2,3:up\n3,2,1:down\n1,3,4:up\n4,3,2:down\n");
  ASSERT_EQ(run({"prepare", "ts", "old.ts", "-o", "old.h5"}).code, kExitDone);
  write("run.toml",
        "[data]\npath = \"old.h5\"\n[model]\nhidden_size = 4\n[train]\nepochs = 1\nbatch_size = 2\n"
        "[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  write("other.ts", "@classLabel true up sideways\n@data\n1,2,3:up\n3,2,1:sideways\n");
  expect_refused(predict("other.ts"), kExitFailed,
                 "other.ts: sequence 1: expected classes up, down, as in the data that it shall be "
                 "like, found 'sideways'");
  write("wide.ts", "@classLabel false\n@data\n1,2,3:4,5,6\n");
  expect_refused(predict("wide.ts"), kExitFailed, "wide.ts: features: expected those of the data");
  write("values.ts", "@targetLabel true\n@data\n1,2,3:0.5\n");
  expect_refused(predict("values.ts"), kExitFailed,
                 "values.ts: expected targets of a classification");
  EXPECT_THAT(run({"evaluate", "run/checkpoint.h5", "--input", "old.ts"}).out,
              StartsWith("old.ts: 4 sequences\n"));
  EXPECT_THAT(run({"evaluate", "run/checkpoint.h5", "--input", "old.ts", "--json"}).out,
              HasSubstr(R"("input":"old.ts")"));
  write("new.ts", "@classLabel false\n@data\n1,2,3\n9,8\n");
  ASSERT_EQ(predict("new.ts").code, kExitDone);
  EXPECT_THAT(read("out.csv"), StartsWith("row,predicted,probability,label\n0,"));
  expect_error(run({"evaluate", "run/checkpoint.h5", "--input", "new.ts"}), kExitFailed,
               "new.ts: expected a target of each row, found none (train/y): only 'predict' takes "
               "such a file");
  expect_error(run({"prepare", "ts", "new.ts", "-o", "new.h5"}), kExitFailed,
               "expected a line @classLabel true");
  ASSERT_EQ(run({"prepare", "--like", "old.h5", "new.ts", "-o", "new.h5"}).code, kExitDone);
  EXPECT_THAT(run({"inspect", "new.h5"}).out, HasSubstr("train: 2 sequences"));
  expect_error(run({"train", "run.toml", "--set", "data.path=new.h5", "--set", "output.dir=run2"}),
               kExitFailed, "new.h5: expected a target of each row, found none (train/y)");
}

TEST_F(PredictTest, NamesTheWayFromAndToParquet) {
  train_forecast();
  write("new.parquet", std::string("PAR1\x15\x04\x15\0", 8) + "PAR1");
  expect_refused(predict("new.parquet"), kExitFailed,
                 "new.parquet: expected text, found Parquet (pandas.read_parquet(\"new.parquet\")."
                 "to_csv(\"table.csv\", index=False) makes a table of it)");
  expect_error(run({"prepare", "csv", "new.parquet", "-o", "new.h5"}), kExitFailed,
               "found Parquet");
  expect_error(run({"predict", "run/checkpoint.h5", "--data", "old.h5", "-o", "out.parquet"}),
               kExitWrongUse,
               "--output: expected a name in .csv, .h5 or .html, or -, found 'out.parquet' "
               "(pandas.read_csv(\"out.csv\").to_parquet(\"out.parquet\") makes Parquet of a");
  write("new.csv", "PAR1,a\n1,2\n");  // a name of a column
  EXPECT_EQ(run({"prepare", "csv", "new.csv", "-o", "new.h5"}).code, kExitDone);
}

TEST_F(PredictTest, TakesNoUnknownTargetForAValue) {
  write("old.ts", "@targetLabel true\n@data\n1,2,3:0.5\n3,2,1:-1\n1,?,4:2\n");
  ASSERT_EQ(run({"prepare", "ts", "old.ts", "--missing", "drop", "-o", "old.h5"}).code, kExitDone);
  write("run.toml",
        "[data]\npath = \"old.h5\"\n[model]\nhidden_size = 4\n[train]\nepochs = 1\n"
        "[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  const std::vector<std::string> evaluate{"evaluate", "run/checkpoint.h5", "--input", "new.ts"};
  write("new.ts", "@targetLabel true\n@data\n1,2,3:?\n3,2,1:3.5\n");
  EXPECT_EQ(predict("new.ts").code, kExitDone);
  expect_error(run(evaluate), kExitFailed, "new.ts: expected a target of each row, found none");
  ASSERT_EQ(run({"prepare", "--like", "run/checkpoint.h5", "new.ts", "-o", "new.h5"}).code, 0);
  expect_error(run({"evaluate", "run/checkpoint.h5", "--data", "new.h5"}), kExitFailed,
               "new.h5: expected a target of each row, found none");
  std::filesystem::remove(path("out.csv"));
  write("new.ts", "@targetLabel true\n@data\n?,2,3:1\n3,2,1:3.5\n");
  expect_refused(predict("new.ts"), kExitFailed,
                 "new.ts: expected values of all rows, as predictions have a row each, found 1 "
                 "sequences with missing ones");
  EXPECT_THAT(run(evaluate).out, StartsWith("new.ts: 1 sequences\n"));
  expect_error(run({"prepare", "--like", "old.h5", "old.ts", "new.ts", "-o", "both.h5"}),
               kExitWrongUse, "input: expected one file of kind ts, found also new.ts");
}

TEST_F(PredictTest, TellsOfTagsThatTheModelDoesNotKnow) {
  const auto write_sentence = [&](const char* name, const char* first, const char* second) {
    write(name, fmt::format("1\tHund\tHund\tNOUN\t_\t{}\t_\t_\t_\t_\n"
                            "2\tbellt\tbellen\tVERB\t_\t{}\t_\t_\t_\t_\n\n",
                            first, second));
  };
  write_sentence("old.conllu", "Number=Sing", "Tense=Pres");
  ASSERT_EQ(run({"prepare", "conllu", "old.conllu", "--column", "FEATS", "--min-count", "1", "-o",
                 "old.h5"})
                .code,
            kExitDone);
  write("run.toml",
        "[data]\npath = \"old.h5\"\n[model]\nhidden_size = 4\nembedding_size = 3\n[train]\n"
        "epochs = 1\n[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  write_sentence("new.conllu", "Number=Plur", "Tense=Pres");
  expect_refused(
      predict("new.conllu"), kExitFailed,
      "new.conllu: expected classes of the data that it shall be like, 2 (Number=Sing, "
      "Tense=Pres), found 'Number=Plur' (a word with _ instead is taken, and does not "
      "count; a model whose data had this file as --test counts it as an error; 'quadgate tag' "
      "fills a file whatever it has)");
  write_sentence("new.conllu", "_", "Tense=Pres");
  EXPECT_EQ(predict("new.conllu").code, kExitDone);
  EXPECT_THAT(read("out.csv"), testing::ContainsRegex("0,0,Hund,[^,]+,[^,]+,\n0,1,bellt,"));
  EXPECT_THAT(read("out.csv"), testing::EndsWith(",Tense=Pres\n"));
  const auto numbers = nlohmann::json::parse(
      run({"evaluate", "run/checkpoint.h5", "--input", "new.conllu", "--json"}).out);
  const bool is_right = read("out.csv").find("bellt,Tense=Pres,") != std::string::npos;
  EXPECT_EQ(numbers["accuracy"], is_right ? 1.0 : 0.0);
  write_sentence("new.conllu", "Number=Plur", "Number=Plur");
  ASSERT_EQ(run({"prepare", "conllu", "old.conllu", "--column", "FEATS", "--min-count", "1",
                 "--test", "new.conllu", "-o", "old.h5"})
                .code,
            kExitDone);
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=50", "--set", "train.lr=0.1", "--set",
                 "output.dir=known"})
                .code,
            kExitDone);
  EXPECT_EQ(nlohmann::json::parse(run({"evaluate", "known/checkpoint.h5", "--data", "old.h5",
                                       "--split", "test", "--json"})
                                      .out)["accuracy"],
            0);
}

TEST_F(PredictTest, NamesTheKindOfFileThatTheModelTakes) {
  train_forecast();
  std::filesystem::copy(path("old.h5"), path("data.csv"));
  expect_refused(
      predict("data.csv"), kExitFailed,
      "data.csv: expected a file of kind csv, as the data of run/checkpoint.h5 were read "
      "from, found an HDF5 file (evaluate and predict take data sets by --data)");
  const std::string array = std::string("PK\3\4", 4) + "and more";
  write("new.npz", array);
  expect_refused(predict("new.npz"), kExitFailed,
                 "new.npz: expected a file of kind csv, as the data of run/checkpoint.h5 were read "
                 "from, found a zip archive, as .npz files are");
  write("new.csv", hours(0, 20));
  expect_refused(predict("new.csv", {"--future", "new.npz"}), kExitWrongUse, "--future");
  expect_error(run({"prepare", "npz", "new.csv", "--like", "run/checkpoint.h5", "-o", "o.h5"}),
               kExitFailed, "new.csv: expected a file of kind npz, found no zip archive");
  EXPECT_EQ(predict("new.csv").code, kExitDone);
}

TEST_F(PredictTest, KeepsATableOfSeriesInItsLines) {
  std::string table = "at,id,a\n";
  for (int i = 0; i < 40; ++i) {
    const std::string time = fmt::format("2020-01-{:02} {:02}:00", 1 + i / 24, i % 24);
    table += fmt::format("{},w,{}\n{},\"x\ny\tz\",{}\n", time, i % 5, time, i % 5);
  }
  write("old.csv", table);
  ASSERT_EQ(run({"prepare", "csv", "old.csv", "--group", "id", "-o", "old.h5"}).code, kExitDone);
  write("run.toml",
        "[data]\npath = \"old.h5\"\ninput_len = 6\nhorizon = 2\n[model]\nhidden_size = 4\n[train]\n"
        "epochs = 1\n[output]\ndir = \"run\"\n");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  const std::vector<std::string> evaluate{
      "evaluate", "run/checkpoint.h5", "--data", "old.h5", "--by", "series"};
  EXPECT_THAT(run(evaluate).out, HasSubstr("\nx\\ny\\x09z  "));
}

TEST_F(PredictTest, SaysWhatAnOlderModelDoesNotKnow) {
  ASSERT_EQ(run({"train", "run.toml", "--quiet"}).code, kExitDone);  // a data set of no prepare
  write("new.ts", "@classLabel false\n@data\n1,2:1,2:1,2\n");
  expect_refused(predict("new.ts"), kExitWrongUse,
                 "run/checkpoint.h5: does not tell how its data were read");
  ASSERT_EQ(run({"prepare", "ts", "new.ts", "--like", "run/checkpoint.h5", "-o", "new.h5"}).code,
            0);
  EXPECT_EQ(run({"predict", "run/checkpoint.h5", "--data", "new.h5", "-o", "-"}).code, kExitDone);
}

}  // namespace
}  // namespace quadgate::apps
