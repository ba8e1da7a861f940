// Sweeps the learning rates of 20 epochs of 3 updates that PyTorch 2.13's schedulers give, from
// schedules.h5 of golden/make_golden.py, in one go and resumed at every epoch, and numbers out of
// range. Tolerance: 1e-7 of the largest learning rate, as the file holds floats; none for resuming.

#include "engine/training/schedule.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "engine/base/error.h"
#include "io/hdf5/file.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ScheduleKind = ScheduleConfig::Kind;
using ::testing::StartsWith;

class GoldenScheduleTest : public ::testing::TestWithParam<const char*> {
 protected:
  ScheduleConfig config() const {
    ScheduleConfig config;
    config.kind = parse_schedule(file_.read_string(group_, "kind")).value();
    const auto set = [&](const char* name, auto& field) {
      if (file_.has_attribute(group_, name)) field = file_.read_double(group_, name);
    };
    const auto set_count = [&](const char* name, auto& field) {
      if (file_.has_attribute(group_, name)) field = file_.read_int(group_, name);
    };
    set_count("warmup_steps", config.warmup_steps);
    set_count("step_size", config.step_size);
    set("gamma", config.gamma);
    set_count("T_max", config.t_max);
    set("eta_min", config.eta_min);
    set("max_lr", config.max_lr);
    set_count("total_steps", config.total_steps);
    set("pct_start", config.pct_start);
    set("div_factor", config.div_factor);
    set("final_div_factor", config.final_div_factor);
    set("factor", config.factor);
    set_count("patience", config.patience);
    set("threshold", config.threshold);
    return config;
  }
  std::vector<float> read(const std::string& name) const {
    const auto array = file_.array(group_ + "/" + name);
    std::vector<float> values(static_cast<std::size_t>(array.size()));
    array.read(0, array.shape()[0], std::span(values));
    return values;
  }

  hdf5::File file_ = hdf5::File::open(paths::in_source("tests/golden/schedules.h5"));
  std::string group_ = GetParam();
  double lr_ = file_.read_double(group_, "lr");
};

TEST_P(GoldenScheduleTest, HasPyTorchsLearningRates) {
  const auto rates = read("rates");
  const auto losses = read("losses");
  const std::int64_t updates = file_.array(group_ + "/rates").shape()[1];
  const double largest = *std::ranges::max_element(rates);
  Schedule schedule(config(), lr_);
  Schedule::State state;
  for (std::size_t step = 0; step < rates.size(); ++step) {
    const auto epoch = static_cast<std::int64_t>(step) / updates;
    const double lr = schedule.lr(epoch, static_cast<std::int64_t>(step));
    EXPECT_NEAR(lr, rates[step], 1e-7 * largest) << "step " << step;
    if ((static_cast<std::int64_t>(step) + 1) % updates == 0 &&
        static_cast<std::size_t>(epoch) < losses.size()) {
      schedule.finish_epoch(losses[static_cast<std::size_t>(epoch)]);
      Schedule resumed(config(), lr_);
      resumed.set_state(state);
      resumed.finish_epoch(losses[static_cast<std::size_t>(epoch)]);
      state = schedule.state();
      EXPECT_EQ(resumed.state(), state);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, GoldenScheduleTest,
                         ::testing::Values("warmup", "step", "step_warmup", "cosine",
                                           "cosine_and_back", "one_cycle", "one_cycle_settings",
                                           "one_cycle_pct_start_0", "one_cycle_pct_start_1",
                                           "plateau_defaults", "plateau", "plateau_tiny"),
                         [](const auto& test) { return std::string(test.param); });

TEST(ScheduleTest, OneCycleStaysAtItsEnd) {
  ScheduleConfig config;
  config.kind = ScheduleKind::one_cycle;
  config.total_steps = 10;
  const Schedule schedule(config, 0.5);  // max_lr is the optimizer's lr if there is none
  EXPECT_NEAR(schedule.lr(0, 9), 0.5 / 25 / 1e4, 1e-12);
  EXPECT_EQ(schedule.lr(0, 10), schedule.lr(0, 9));
  EXPECT_EQ(schedule.lr(9, 1000), schedule.lr(0, 9));
  config.total_steps = 1;
  EXPECT_TRUE(std::isfinite(Schedule(config, 0.5).lr(0, 0)));
}

// Where PyTorch divides 0 by 0: a rise of one update.
TEST(ScheduleTest, OneCycleMayRiseInOneUpdate) {
  ScheduleConfig config;
  config.kind = ScheduleKind::one_cycle;
  config.total_steps = 10;
  config.pct_start = 0.1;
  EXPECT_EQ(Schedule(config, 0.5).lr(0, 0), 0.5);
}

TEST(ScheduleTest, KindsHaveNames) {
  for (const ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine,
                                  ScheduleKind::one_cycle, ScheduleKind::reduce_on_plateau}) {
    EXPECT_EQ(parse_schedule(to_string(kind)), kind);
  }
  EXPECT_FALSE(parse_schedule("cosin"));
}

TEST(PlateauTest, CountsEpochsWithoutABetterLoss) {
  Plateau plateau;
  plateau.add(1, 0);
  EXPECT_EQ(plateau, (Plateau{1, 0}));
  plateau.add(1, 0);
  plateau.add(std::numeric_limits<double>::quiet_NaN(), 0);
  EXPECT_EQ(plateau, (Plateau{1, 2}));
  plateau.add(0.95, 0.1);
  EXPECT_EQ(plateau, (Plateau{1, 3}));
  plateau.add(0.95, 0);
  EXPECT_EQ(plateau, (Plateau{0.95, 0}));
}

void expect_refused(const ScheduleConfig& config, const std::string& field) {
  try {
    Schedule(config, 1);
    ADD_FAILURE() << field << " was accepted";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), StartsWith(field + ": expected "));
  }
}

TEST(ScheduleTest, RefusesNumbersOutOfRange) {
  constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  for (const double value : {-0.1, kNoNumber, kEndless}) {
    const auto refuse = [&](auto field, const std::string& name) {
      ScheduleConfig config;
      config.*field = value;
      expect_refused(config, name);
    };
    refuse(&ScheduleConfig::gamma, "gamma");
    refuse(&ScheduleConfig::eta_min, "eta_min");
    refuse(&ScheduleConfig::max_lr, "max_lr");
    refuse(&ScheduleConfig::pct_start, "pct_start");
    refuse(&ScheduleConfig::div_factor, "div_factor");
    refuse(&ScheduleConfig::final_div_factor, "final_div_factor");
    refuse(&ScheduleConfig::factor, "factor");
    refuse(&ScheduleConfig::threshold, "threshold");
  }
  expect_refused({.warmup_steps = -1}, "warmup_steps");
  expect_refused({.step_size = 0}, "step_size");
  expect_refused({.t_max = 0}, "T_max");
  expect_refused({.total_steps = 0}, "total_steps");
  expect_refused({.pct_start = 1.1}, "pct_start");
  expect_refused({.factor = 1}, "factor");
  expect_refused({.patience = -1}, "patience");
}

TEST(ScheduleTest, RefusesAKindWithoutWhatItNeeds) {
  expect_refused({.kind = ScheduleKind::step}, "step_size");
  expect_refused({.kind = ScheduleKind::cosine}, "T_max");
  expect_refused({.kind = ScheduleKind::one_cycle}, "total_steps");
}

}  // namespace
}  // namespace quadgate
