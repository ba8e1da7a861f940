// Sweeps normalize, residual and quantiles of a forecast through train, resume, evaluate, predict
// and inspect, and what they do not fit. The series rises by one a row. No tolerance where runs are
// resumed; a forecast of it is right to a tenth of a row's rise.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

class NormalizationOfRunsTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    std::string csv = "level,noise\n";
    for (int row = 0; row < 120; ++row) csv += fmt::format("{},{}\n", row, row * 7 % 5);
    write("rise.csv", csv);
    ASSERT_EQ(run({"prepare", "csv", "rise.csv", "--test-fraction", "0.5", "-o", "rise.h5"}).code,
              kExitDone);
    write("rise.toml", R"([data]
path = "rise.h5"
input_len = 6
horizon = 2
targets = ["level"]
[model]
hidden_size = 8
[train]
epochs = 40
batch_size = 16
lr = 1e-2
threads = 2
[output]
dir = "run"
)");
  }

  Outcome train(const std::string& dir, const std::vector<std::string>& keys,
                std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"train", "rise.toml", "--set", "output.dir=" + dir};
    for (const std::string& key : keys) args.insert(args.end(), {"--set", key});
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
};

TEST_F(NormalizationOfRunsTest, ForecastsBeyondWhatItWasTrainedOn) {
  for (const auto& [key, described, inspected] :
       {std::tuple("model.normalize=last", ", normalized by last, ", "normalize: last\n"),
        std::tuple("model.normalize=instance", ", normalized by instance, ",
                   "normalize: instance\n  norm.affine_weight"),
        std::tuple("model.residual=true", " + last values, ", "residual: outputs are added")}) {
    SCOPED_TRACE(key);
    const std::string dir = std::string(key).substr(6, 4) + key[std::string(key).size() - 1];
    const Outcome trained = train(dir, {key});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
    EXPECT_THAT(trained.err, HasSubstr(described));
    EXPECT_THAT(run({"inspect", dir + "/checkpoint.h5"}).out, HasSubstr(inspected));
    const auto metrics = nlohmann::json::parse(
        run({"evaluate", dir + "/checkpoint.h5", "--data", "rise.h5", "--json"}).out);
    // The mean absolute error of the last value is 1.5. Residual sees levels that no training row
    // has.
    EXPECT_LT(metrics["mae"], std::string(key) == "model.residual=true" ? 1.5 : 0.1);
  }
  ASSERT_EQ(train("plain", {}).code, kExitDone);
  const auto metrics = nlohmann::json::parse(
      run({"evaluate", "plain/checkpoint.h5", "--data", "rise.h5", "--json"}).out);
  EXPECT_GT(metrics["mae"], 10);
}

TEST_F(NormalizationOfRunsTest, ResumingGivesTheSameBits) {
  const std::string key = "model.normalize=instance";
  ASSERT_EQ(train("whole", {key, "train.epochs=4"}).code, kExitDone);
  ASSERT_EQ(train("parts", {key, "train.epochs=2"}).code, kExitDone);
  ASSERT_EQ(train("parts", {key, "train.epochs=4"}, {"--resume"}).code, kExitDone);
  for (const std::string name : {"whole", "parts"}) {
    ASSERT_EQ(
        run({"predict", name + "/checkpoint.h5", "--data", "rise.h5", "-o", name + ".h5"}).code, 0);
  }
  EXPECT_EQ(read("whole.h5"), read("parts.h5"));
  expect_error(train("whole", {"model.normalize=last", "train.epochs=5"}, {"--resume", "--quiet"}),
               kExitWrongUse,
               R"(model.normalize: expected "instance" as in the run to resume, found "last")");
  expect_error(
      train("next", {"model.normalize=last", "model.init=whole/checkpoint.h5"}, {"--quiet"}),
      kExitFailed, "unexpected 'norm.affine_bias'; unexpected 'norm.affine_weight'");
}

TEST_F(NormalizationOfRunsTest, BandsGoThroughEveryCommand) {
  const std::vector<std::string> keys{"model.normalize=last", "train.loss=pinball",
                                      "train.quantiles=[0.1, 0.5, 0.9]"};
  const Outcome trained = train("bands", keys);
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr(" -> 6, normalized by last, "));
  EXPECT_THAT(run({"inspect", "bands/checkpoint.h5"}).out,
              HasSubstr("loss pinball, quantiles [0.1, 0.5, 0.9]"));
  EXPECT_THAT(run({"evaluate", "bands/checkpoint.h5", "--data", "rise.h5"}).out,
              HasSubstr("coverage_q0.9 "));
  ASSERT_EQ(run({"predict", "bands/checkpoint.h5", "--data", "rise.h5", "-o", "out.csv"}).code,
            kExitDone);  // the points behind the last row
  EXPECT_THAT(read("out.csv"), HasSubstr("series,time,target,step,prediction,truth"));
  ASSERT_EQ(run({"predict", "bands/checkpoint.h5", "--data", "rise.h5", "--split", "test", "-o",
                 "out.csv"})
                .code,
            kExitDone);
  EXPECT_THAT(read("out.csv"),
              HasSubstr("row,level+1 q0.1,level+1 q0.5,level+1 q0.9,level+2 q0.1,"));
  std::vector<std::string> others = keys;
  others.back() = "train.quantiles=[0.1, 0.9]";
  expect_error(train("bands", others, {"--resume", "--quiet"}), kExitWrongUse,
               "train.quantiles: expected [0.1, 0.5, 0.9] as in the run to resume, found [0.1, "
               "0.9]");
}

TEST_F(NormalizationOfRunsTest, WhatDoesNotFitIsNamed) {
  const auto expect_refused = [&](const std::vector<std::string>& keys, const char* part) {
    expect_error(train("refused", keys, {"--quiet"}), kExitWrongUse, part);
    EXPECT_FALSE(std::filesystem::exists(path("refused")));
  };
  expect_refused({"model.normalize=revin"},
                 R"(model.normalize: expected "none", "last" or "instance", found "revin")");
  expect_refused({"model.normalize=last", "model.residual=true"},
                 "model.residual: expected only with normalize \"none\", found true");
  expect_refused({"model.normalize=instance", "train.loss=gaussian"},
                 "normalize: instance: expected another loss, without a scale of its own, found "
                 "gaussian");
  expect_refused(
      {"train.loss=pinball"},
      "train.quantiles: expected an array of rising numbers above 0 and below 1, found no "
      "such key");
  expect_refused({"train.loss=pinball", "train.quantiles=[0.5, 0.1]"},
                 "quantiles: expected rising numbers above 0 and below 1, found 0.1");
  expect_refused({"train.quantiles=[0.1, 0.5]"},
                 "train.quantiles: expected only with loss \"pinball\", found [0.1, 0.5]");
  expect_error(run({"train", "run.toml", "--quiet", "--set", "train.loss=student_t"}),
               kExitWrongUse, "loss: expected cross_entropy for classification, found student_t");
  expect_refused({"model.normalize=last", "train.loss=bce"},
                 "normalize: expected another loss, found bce");
  expect_error(run({"train", "run.toml", "--quiet", "--set", "model.normalize=last"}),
               kExitWrongUse,
               "model.normalize: expected none for a data set without a forecast's windows, found "
               "last");
  expect_error(run({"train", "run.toml", "--quiet", "--set", "model.residual=true"}), kExitWrongUse,
               "model.residual: expected false for a data set without a forecast's windows, found "
               "true");
}

}  // namespace
}  // namespace quadgate::apps
