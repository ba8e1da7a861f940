// What follows from the keys of a run file.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "apps/train/run_config.h"
#include "engine/base/error.h"

namespace quadgate::apps {

std::vector<std::filesystem::path> RunConfig::data_paths() const {
  return {data.path.names.begin(), data.path.names.end()};
}

std::optional<Window> RunConfig::window() const {
  if (!data.input_len && !data.horizon && !data.stride && data.targets.empty()) {
    return {};
  }
  if (!data.input_len || !data.horizon) {
    throw InvalidArgument(fmt::format("data.{}: expected an integer, at least 1, for a forecast",
                                      data.input_len ? "horizon" : "input_len"));
  }
  return Window{*data.input_len, *data.horizon, data.stride.value_or(1), data.targets};
}

std::string RunConfig::data_text() const {
  const auto& names = data.path.names;
  return names.size() == 1 ? names[0] : fmt::format("{} and {} more", names[0], names.size() - 1);
}

void complete_schedule(RunConfig& config, std::int64_t updates_per_epoch) {
  ScheduleConfig& schedule = config.train.schedule;
  if (schedule.kind == ScheduleConfig::Kind::cosine && !schedule.t_max) {
    schedule.t_max = config.train.epochs;
  }
  if (schedule.kind == ScheduleConfig::Kind::one_cycle) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const std::int64_t epochs = std::min(config.train.epochs, kMost / updates_per_epoch);
    schedule.max_lr = schedule.max_lr.value_or(config.train.optimizer.lr);
    schedule.total_steps = schedule.total_steps.value_or(epochs * updates_per_epoch);
  }
  validate(schedule);
}

}  // namespace quadgate::apps
