// Sweeps the keys of a run file: unknown, missing, of another type, out of range.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/apps/train/run_file_text.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(RunConfigRefusalTest, KeysOfAnotherOptimizerOrScheduleAreRefused) {
  EXPECT_EQ(error_of_set("train.alpha=0.5"),
            "--set: train.alpha: expected only with optimizer \"rmsprop\", found 0.5");
  EXPECT_EQ(
      error_of(kSmallest, {"train.optimizer=sgd", "train.betas=[0.5, 0.5]"}),
      "--set: train.betas: expected only with optimizer \"adam\" or \"adamw\", found [0.5, 0.5]");
  EXPECT_THAT(error_of(kSmallest, {"train.optimizer=sgd", "train.nesterov=true"}),
              HasSubstr("expected only with optimizer \"sgd\" and a momentum, found true"));
  EXPECT_THAT(error_of(kSmallest, {"train.optimizer=sgd", "train.eps=1"}), HasSubstr("train.eps"));
  EXPECT_EQ(error_of_set("train.schedule.T_max=3"),
            "--set: train.schedule.T_max: expected only with kind \"cosine\", found 3");
  EXPECT_EQ(error_of_set("train.schedule.gamma=0.1"), "no error");  // the default
  EXPECT_EQ(error_of_set("train.huber_delta=2"),
            "--set: train.huber_delta: expected only with loss \"huber\", found 2");
  EXPECT_EQ(error_of_set("model.arithmetic=consistent"),
            "--set: model.arithmetic: expected only with precision \"bf16\", found \"consistent\"");
  EXPECT_EQ(error_of(kSmallest, {"train.loss=mae", "train.label_smoothing=0.5"}),
            "--set: train.label_smoothing: expected only with loss \"cross_entropy\", found 0.5");
  EXPECT_EQ(error_of_set("train.label_smoothing=0.1"), "no error");  // the data decide
}

TEST(RunConfigRefusalTest, ScheduleNamesWhatItLacks) {
  EXPECT_EQ(
      error_of_set("train.schedule.kind=step"),
      "run.toml: train.schedule.step_size: expected an integer, at least 1, found no such key");
  EXPECT_EQ(
      error_of_set("train.schedule.kind=steps"),
      "--set: train.schedule.kind: expected \"constant\", \"step\", \"cosine\", \"one_cycle\" or "
      "\"reduce_on_plateau\", found \"steps\"");
  for (const auto& [kind, assignments] : std::map<std::string, std::vector<std::string>>{
           {"step", {"step_size=0", "gamma=0", "gamma=x"}},
           {"cosine", {"T_max=0", "T_max=1.5", "eta_min=-1"}},
           {"one_cycle",
            {"max_lr=0", "total_steps=0", "pct_start=-0.1", "pct_start=1.0000001", "div_factor=0",
             "final_div_factor=-1"}},
           {"reduce_on_plateau", {"factor=1", "factor=0", "patience=-1", "threshold=-1"}},
           {"constant", {"warmup_steps=-1"}}}) {
    for (const std::string& assignment : assignments) {
      std::vector<std::string> overrides = {"train.schedule.kind=" + kind};
      if (kind == "step") overrides.emplace_back("train.schedule.step_size=1");
      const std::string key = "train.schedule." + assignment.substr(0, assignment.find('='));
      overrides.push_back("train.schedule." + assignment);
      EXPECT_THAT(error_of(kSmallest, overrides), StartsWith("--set: " + key + ": expected"));
    }
  }
}

TEST(RunConfigRefusalTest, UnknownKeyNamesTheNearest) {
  const auto with = [](const std::string& line) { return std::string(kSmallest) + line; };
  EXPECT_THAT(error_of(with("[model2]\nhiden_size = 3\n")),
              AllOf(StartsWith("run.toml: unknown key 'model2.hiden_size'"),
                    HasSubstr("'model.hidden_size'")));
  EXPECT_EQ(error_of(with("dri = \"x\"\n")),
            "run.toml: unknown key 'output.dri', the nearest known one is 'output.dir'");
  EXPECT_THAT(error_of(with("lr = 1\n")), HasSubstr("'train.lr'"));
  EXPECT_THAT(error_of("epochs = 3\n"), HasSubstr("'epochs', the nearest known one is 'train.ep"));
  EXPECT_THAT(error_of(with("[tain]\n")), HasSubstr("unknown key 'tain'"));
  EXPECT_THAT(error_of(with("[output.dir2]\na.b = 1\n")), HasSubstr("'output.dir2.a.b'"));
  EXPECT_THAT(error_of(with("[train.schedule]\nt_max = 3\n")),
              HasSubstr("'train.schedule.t_max', the nearest known one is 'train.schedule.T_max'"));
  EXPECT_THAT(error_of_set("train.schedule=cosine"), HasSubstr("one is 'train.schedule.kind'"));
  EXPECT_THAT(error_of_set("train.T_max=3"), HasSubstr("one is 'train.schedule.T_max'"));
  EXPECT_THAT(error_of_set("train.beta=[0,0]"), HasSubstr("one is 'train.betas'"));
  EXPECT_THAT(error_of(with("[\"train.lr\"]\n")), HasSubstr("unknown key 'train.lr'"));
  EXPECT_THAT(error_of("[[train]]\nlr = 1\n"), HasSubstr("unknown key 'train'"));
}

TEST(RunConfigRefusalTest, MissingKeysAreNamed) {
  for (const std::string key : {"path", "hidden_size", "epochs", "dir"}) {
    std::string text = kSmallest;
    text.insert(text.find(key + " ="), "#");
    EXPECT_THAT(error_of(text), AllOf(HasSubstr("." + key + ": expected"), HasSubstr("no such")));
  }
}

TEST(RunConfigRefusalTest, TypesAndRangesAreNamed) {
  EXPECT_EQ(error_of_set("train.lr=-1"),
            "--set: train.lr: expected a finite number, at least 0, found -1");
  EXPECT_THAT(error_of_set("train.lr=fast"), HasSubstr("found \"fast\""));
  for (const char* assignment : {"train.lr=nan",
                                 "train.lr=inf",
                                 "train.lr=9007199254740993",  // 2^53 + 1: no double
                                 R"(output.dir="a\u0000b")",
                                 R"(data.path=["a.h5", "a\u0000b"])",
                                 "train.lr=[1]",
                                 "train.lr=true",
                                 "model.hidden_size=0",
                                 "model.hidden_size=1.5",
                                 "model.hidden_size=\"3\"",
                                 "model.num_layers=-1",
                                 "model.dropout=1",
                                 "model.dropout=-0.1",
                                 "model.input_dropout=1",
                                 "model.output_dropout=-0.1",
                                 "model.locked_dropout=1",
                                 "model.weight_dropout=1",
                                 "model.bidirectional=1",
                                 "train.epochs=0",
                                 "train.batch_size=0",
                                 "train.clip_norm=0",
                                 "train.seed=-1",
                                 "train.threads=0",
                                 "train.threads=1025",
                                 "train.shuffle=\"no\"",
                                 "train.optimizer=adagrad",
                                 "train.checkpoint_every_steps=0",
                                 "train.checkpoint_every_minutes=0",
                                 "data.targets=[]",
                                 "data.targets=[1]",
                                 "data.targets=OT",
                                 "data.path=",
                                 "data.path=[]",
                                 "data.path=[\"a.h5\", 1]",
                                 "train.shuffle_buffer=0",
                                 "train.bucket_by_length=1",
                                 "output.dir=\"\"",
                                 "model.cell=GRU",
                                 "model.cell=3",
                                 "model.proj_size=-1",
                                 "model.pooling=sum",
                                 "train.loss=hinge",
                                 "train.loss=1",
                                 "train.huber_delta=0",
                                 "train.label_smoothing=1",
                                 "train.label_smoothing=-0.1",
                                 "train.class_weights=[]",
                                 "train.class_weights=2",
                                 "train.class_weights=\"even\"",
                                 "train.class_weights=[1, -1]",
                                 "train.class_weights=[1, nan]",
                                 "train.class_weights=[1, \"a\"]",
                                 "train.ignore_index=1.5",
                                 "train.momentum=0.5",
                                 "train.betas=0.9",
                                 "train.betas=[0.9]",
                                 "train.betas=[0.9, 1]",
                                 "train.betas=[0.9, 0.9, 0.9]",
                                 "train.eps=-1",
                                 "train.nesterov=1",
                                 "train.accumulate_steps=0",
                                 "train.early_stopping_patience=0",
                                 "train.early_stopping_patience=-1"}) {
    const std::string key = std::string(assignment).substr(0, std::string(assignment).find('='));
    EXPECT_THAT(error_of_set(assignment), StartsWith("--set: " + key + ": expected")) << assignment;
  }
  EXPECT_THAT(error_of(std::string(kSmallest) + "[data2]\n[train.lr]\n"), HasSubstr("unknown"));
}

TEST(RunConfigRefusalTest, NamesAreListed) {
  EXPECT_EQ(error_of_set("model.pooling=sum"),
            "--set: model.pooling: expected \"last\", \"mean\" or \"max\", found \"sum\"");
  EXPECT_EQ(parse(kSmallest, {"model.precision=bf16"}).model.precision, Precision::bf16);
  EXPECT_EQ(error_of_set("model.precision=f16"),
            "--set: model.precision: expected \"f32\" or \"bf16\", found \"f16\"");
  EXPECT_EQ(
      parse(kSmallest, {"model.precision=bf16", "model.arithmetic=consistent"}).model.arithmetic,
      Arithmetic::consistent);
  EXPECT_EQ(error_of_set("model.arithmetic=exact"),
            "--set: model.arithmetic: expected \"fastest\" or \"consistent\", found \"exact\"");
}

TEST(RunConfigRefusalTest, MessagesShowWhatWasFound) {
  EXPECT_THAT(error_of_set("train.lr=-0.1"), EndsWith("found -0.1"));
  EXPECT_THAT(error_of_set("train.epochs=1e3"),
              EndsWith("expected an integer, at least 1, found 1000.0"));
  EXPECT_THAT(error_of_set("train.betas=[0.9]"), EndsWith("found [0.9]"));
  EXPECT_THAT(error_of_set("data.targets=[\"a\", 1]"), EndsWith("found [\"a\", 1]"));
  EXPECT_THAT(error_of_set("data.targets=[]"), EndsWith("found []"));
}

TEST(RunConfigRefusalTest, SetTakesTomlElseAString) {
  EXPECT_EQ(parse(kSmallest, {"train.lr=2"}).train.optimizer.lr, 2);
  EXPECT_EQ(parse(kSmallest, {"train.lr=1", "train.lr=3"}).train.optimizer.lr, 3);
  EXPECT_EQ(parse(kSmallest, {"output.dir=runs/x"}).output_dir, "runs/x");
  EXPECT_EQ(parse(kSmallest, {"output.dir=\"runs/x\""}).output_dir, "runs/x");
  EXPECT_EQ(parse(kSmallest, {"output.dir=2024"}).output_dir, "2024");
  EXPECT_EQ(parse(kSmallest, {"output.dir=a=b"}).output_dir, "a=b");
  EXPECT_EQ(parse(kSmallest, {"data.targets=[\"OT\"]"}).data.targets,
            std::vector<std::string>{"OT"});
  EXPECT_EQ(parse("", {"data.path=a", "model.hidden_size=1", "train.epochs=1", "output.dir=b"})
                .model.hidden_size,
            1);
  EXPECT_THAT(error_of_set("train.lr"), HasSubstr("expected KEY=VALUE, found 'train.lr'"));
  EXPECT_THAT(error_of_set("train.lrr=1"),
              AllOf(StartsWith("--set: unknown key"), HasSubstr("'train.lr'")));
}

TEST(RunConfigRefusalTest, BrokenTomlNamesFileAndLine) {
  EXPECT_THAT(error_of("[data]\npath = \n"), StartsWith("run.toml:2: expected TOML"));
  EXPECT_THROW(read_run_config("no/such/run.toml"), FileError);
  EXPECT_THROW(read_run_config("."), FileError);
}

TEST(RunConfigRefusalTest, WindowNeedsBothLengths) {
  EXPECT_THROW(parse(kSmallest, {"data.stride=2"}).window(), InvalidArgument);
  EXPECT_THROW(parse(kSmallest, {"data.input_len=2"}).window(), InvalidArgument);
  EXPECT_EQ(parse(kSmallest, {"data.input_len=2", "data.horizon=1"}).window(),
            (Window{2, 1, 1, {}}));
}

}  // namespace
}  // namespace quadgate::apps
