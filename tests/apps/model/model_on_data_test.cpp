// Sweeps: a forecast on the same rows with columns in another order, in other scales, without a
// scale and without names; other names, classes and windows; runs resumed on such data.
// Tolerance: where the same bits are not due, 1e-5 of the metrics for rows of six decimals.

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/command.h"
#include "apps/model/model_on_data.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kRows = 120;

class ModelOnDataTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    write("a.csv", table({"wind", "load"}));
    prepare("a.csv", "a.h5", {"--standardize", "--test-fraction", "0.25"});
    write("forecast.toml", R"([data]
path = "a.h5"
input_len = 8
horizon = 2
targets = ["load"]
[model]
hidden_size = 4
[train]
epochs = 3
batch_size = 16
lr = 1e-2
threads = 1
[output]
dir = "run"
)");
  }

  /// Rows `first` to the last of two columns, called so, in this order: "wind" around 0, and a
  /// "load" around 5000.
  static std::string table(const std::vector<std::string>& names, std::int64_t first = 0,
                           bool swaps = false) {
    std::string text = names[0] + "," + names[1] + "\n";
    for (std::int64_t row = first; row < kRows; ++row) {
      const auto t = static_cast<double>(row);
      const double wind = std::sin(t / 5);
      const double load = 5000 + 40 * std::cos(t / 7);
      text +=
          std::to_string(swaps ? load : wind) + "," + std::to_string(swaps ? wind : load) + "\n";
    }
    return text;
  }

  void prepare(const std::string& from, const std::string& to,
               const std::vector<std::string>& options) const {
    std::vector<std::string> args{"prepare", "csv", from, "-o", to};
    args.insert(args.end(), options.begin(), options.end());
    const Outcome outcome = run(args);
    ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  }

  Outcome train(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"train", "forecast.toml", "--quiet"};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }

  Outcome evaluate(const std::string& data) const {
    return run({"evaluate", "run/checkpoint.h5", "--data", data, "--json"});
  }

  /// Evaluates the model on `data` and on the rows that it knows.
  void expect_same_metrics(const std::string& data, const std::string& note) const {
    SCOPED_TRACE(data);
    const Outcome found = evaluate(data);
    ASSERT_EQ(found.code, kExitDone) << found.err;
    EXPECT_THAT(found.err, HasSubstr("quadgate: note: " + data + ": " + note));
    const auto ours = nlohmann::json::parse(found.out);
    const auto same = nlohmann::json::parse(evaluate("a.h5").out);
    ASSERT_EQ(ours["count"], same["count"]);
    for (const char* metric : {"mse", "mae", "mse_raw", "mae_raw"}) {
      const double expected = same[metric];
      EXPECT_NEAR(ours[metric], expected, 1e-5 * expected) << metric;
    }
  }
};

TEST_F(ModelOnDataTest, TakesColumnsByTheirNames) {
  ASSERT_EQ(train().code, kExitDone);
  EXPECT_EQ(evaluate("a.h5").err, "");
  write("swapped.csv", table({"load", "wind"}, 0, true));
  prepare("swapped.csv", "swapped.h5", {"--standardize", "--test-fraction", "0.25"});
  expect_same_metrics("swapped.h5", "features: come as 2 (load, wind): taken by name");
  const std::string named = table({"wind", "load"});
  write("nameless.csv", named.substr(named.find('\n') + 1));
  prepare("nameless.csv", "nameless.h5", {"--standardize", "--test-fraction", "0.25"});
  expect_same_metrics("nameless.h5", "features: has no names: taken to be 2 (wind, load)");
  write("other.csv", table({"wind", "price"}));
  prepare("other.csv", "other.h5", {"--standardize", "--test-fraction", "0.25"});
  expect_error(evaluate("other.h5"), kExitFailed,
               "other.h5: features: the model expects 'load', found none of that name but 'price'");
}

TEST_F(ModelOnDataTest, PutsValuesIntoTheModelsScale) {
  ASSERT_EQ(train().code, kExitDone);
  prepare("a.csv", "plain.h5", {"--test-fraction", "0.25"});
  expect_same_metrics("plain.h5", "not standardized: taken into the model's scale");
  // The test rows, and those that their first window looks back to.
  write("new.csv", table({"wind", "load"}, 80));
  prepare("new.csv", "new.h5", {"--standardize", "--test-fraction", "0.75"});
  expect_same_metrics("new.h5", "standardized by another mean and std than the model's");
}

TEST_F(ModelOnDataTest, PutsValuesBackWhereTheModelHasNoScale) {
  prepare("a.csv", "plain.h5", {"--test-fraction", "0.25"});
  ASSERT_EQ(train({"--set", "data.path=plain.h5"}).code, kExitDone);
  const auto plain = nlohmann::json::parse(evaluate("plain.h5").out);
  const Outcome outcome = evaluate("a.h5");
  EXPECT_THAT(outcome.err, HasSubstr("a.h5: standardized, as the model is not"));
  const auto scaled = nlohmann::json::parse(outcome.out);
  EXPECT_NEAR(scaled["mse"], plain["mse"], 1e-5 * plain["mse"].get<double>());
}

TEST_F(ModelOnDataTest, PredictsAColumnFarFromZero) {
  std::string text = "level\n";
  for (int row = 0; row < 80; ++row) text += row % 2 == 0 ? "10000000.1\n" : "9999999.9\n";
  write("far.csv", text);
  prepare("far.csv", "a.h5", {"--standardize", "--test-fraction", "0.25"});
  ASSERT_EQ(train({"--set", "data.targets=[\"level\"]", "--set", "train.epochs=60"}).code,
            kExitDone);
  ASSERT_EQ(
      run({"predict", "run/checkpoint.h5", "--data", "a.h5", "--split", "test", "-o", "out.csv"})
          .code,
      kExitDone);
  std::istringstream lines(read("out.csv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "row,level+1,level+2");
  int row = 0;
  for (; std::getline(lines, line); ++row) {
    const std::string first = line.substr(line.find(',') + 1);
    EXPECT_NEAR(std::stod(first), row % 2 == 0 ? 10000000.1 : 9999999.9, 0.05) << line;
  }
  EXPECT_EQ(row, 19);
}

TEST_F(ModelOnDataTest, InitComesInTheScaleOfItsModelAndFitsItsData) {
  ASSERT_EQ(train().code, kExitDone);
  prepare("a.csv", "plain.h5", {"--test-fraction", "0.25"});
  const auto begin = [&](const std::vector<std::string>& settings) {
    std::vector<std::string> args{"--set", "output.dir=next", "--set",
                                  "model.init=run/checkpoint.h5"};
    for (const std::string& setting : settings) args.insert(args.end(), {"--set", setting});
    return train(args);
  };
  expect_error(begin({"data.horizon=1"}), kExitFailed,
               "a.h5: horizon: the model expects 2, found 1");
  expect_error(begin({"data.input_len=9"}), kExitFailed,
               "a.h5: input_len: the model expects 8, found 9");
  expect_error(begin({"data.targets=[\"wind\"]"}), kExitFailed,
               "a.h5: targets: the model expects 'load' as number 0, found 'wind'");
  write("other.csv", table({"wind", "price"}));
  prepare("other.csv", "other.h5", {});
  expect_error(begin({"data.path=other.h5", "data.targets=[\"price\"]"}), kExitFailed,
               "other.h5: features: the model expects 'load'");
  // The weights stay as they are.
  const Outcome begun = begin({"data.path=plain.h5", "train.lr=0", "train.epochs=1"});
  ASSERT_EQ(begun.code, kExitDone) << begun.err;
  EXPECT_THAT(begun.err, HasSubstr("note: plain.h5: not standardized: taken into the model's"));
  const Outcome next = run({"evaluate", "next/checkpoint.h5", "--data", "a.h5", "--json"});
  EXPECT_EQ(next.err, "");
  EXPECT_EQ(next.out, evaluate("a.h5").out);
}

TEST_F(ModelOnDataTest, ResumesOnTheSameDataAlone) {
  ASSERT_EQ(train().code, kExitDone);
  ASSERT_EQ(train({"--set", "output.dir=whole", "--set", "train.epochs=4"}).code, kExitDone);
  const auto resume = [&](const std::string& data) {
    return train({"--resume", "--set", "train.epochs=4", "--set", "data.path=" + data});
  };
  const auto before = files();
  prepare("a.csv", "fewer.h5", {"--standardize", "--test-fraction", "0.5"});
  expect_error(resume("fewer.h5"), kExitFailed,
               "fewer.h5: not the data that run/checkpoint.h5 was trained on: train: expected 81 "
               "rows, found 51; fewer.h5: standardized by another mean and std");
  std::string changed = table({"wind", "load"});
  changed.replace(changed.find("5039"), 4, "5038");
  write("changed.csv", changed);
  prepare("changed.csv", "changed.h5", {"--standardize", "--test-fraction", "0.25"});
  expect_error(resume("changed.h5"), kExitFailed, "expected other values and targets; changed.h5");
  write("other.csv", table({"wind", "price"}));
  prepare("other.csv", "other.h5", {"--standardize", "--test-fraction", "0.25"});
  expect_error(
      train({"--resume", "--set", "data.path=other.h5", "--set", "data.targets=[\"price\"]"}),
      kExitFailed, "other.h5: features: the model expects 'load'");
  for (const auto& [name, content] : before) EXPECT_EQ(read(name), content) << name;

  // The same rows, compressed, in another order, called otherwise.
  write("swapped.csv", table({"load", "wind"}, 0, true));
  prepare("swapped.csv", "swapped.h5", {"--standardize", "--test-fraction", "0.25", "--gzip"});
  const Outcome done = resume("swapped.h5");
  ASSERT_EQ(done.code, kExitDone) << done.err;
  EXPECT_THAT(done.err, HasSubstr("swapped.h5: features: come as 2 (load, wind)"));
  const auto metrics = [&](const std::string& folder) {
    const Outcome outcome =
        run({"evaluate", folder + "/checkpoint.h5", "--data", "a.h5", "--json"});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(metrics("run"), metrics("whole"));
}

TEST_F(ModelOnDataTest, AFinishedRunSaysSo) {
  ASSERT_EQ(train().code, kExitDone);
  const std::string before = read("run/checkpoint.h5");
  const Outcome again = run({"train", "forecast.toml", "--resume"});
  EXPECT_EQ(again.code, kExitDone);
  EXPECT_THAT(again.err, HasSubstr("run: the run is finished, 3 of 3 epochs are done; to train on: "
                                   "--resume --set train.epochs=4 or more\n"));
  EXPECT_EQ(read("run/checkpoint.h5"), before);
  EXPECT_EQ(train({"--resume"}).err, "");
}

TEST_F(ModelOnDataTest, ClassesKeepTheirOrder) {
  const std::string header = "@classLabel true ";
  const std::string rows = "\n@data\n1,2,3:cat\n4,5,6:dog\n1,2,4:cat\n4,6,6:dog\n";
  write("a.ts", header + "cat dog" + rows);
  write("b.ts", header + "dog cat" + rows);
  for (const char* name : {"a", "b"}) {
    const std::string file = name;
    ASSERT_EQ(run({"prepare", "ts", file + ".ts", "--test", file + ".ts", "-o", file + ".h5"}).code,
              kExitDone);
  }
  ASSERT_EQ(run({"train", "run.toml", "--quiet", "--set", "data.path=a.h5"}).code, kExitDone);
  expect_error(evaluate("b.h5"), kExitFailed,
               "b.h5: classes: the model expects 'cat' as number 0, found 'dog'");
}

TEST(ForwardRowsTest, AreFewerWhereSequencesAreLong) {
  EXPECT_EQ(forward_rows(1), 256);
  EXPECT_EQ(forward_rows(128), 256);
  EXPECT_EQ(forward_rows(1000), 32);
  EXPECT_EQ(forward_rows(1'000'000), 16);
}

}  // namespace
}  // namespace quadgate::apps
