#include "apps/model/window_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>

#include "apps/common/warn.h"
#include "engine/base/error.h"
#include "io/data/time_step.h"
#include "io/importers/time_format.h"

namespace quadgate::apps {
namespace {

/// The recipe of the series: what the model knows of them, or else what the data set does.
Recipe recipe_of(const ModelOnData& model) {
  const auto& known = model.description().data.recipe;
  if (known && known->step.is_known()) return *known;
  return model.dataset().description().recipe.value_or(Recipe());
}

}  // namespace

WindowTimes::WindowTimes(const ModelOnData& model, std::int64_t input_len)
    : recipe_(recipe_of(model)), input_len_(input_len) {}

std::vector<double> WindowTimes::of_targets(const WindowPlace& place, std::int64_t steps) const {
  std::vector<double> times;
  if (place.times.empty()) return times;
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t at = input_len_ + i;
    const std::int64_t behind = at + 1 - std::ssize(place.times);
    if (behind > 0 && !recipe_.step.is_known()) return {};
    times.push_back(behind > 0 ? time_after(place.times.back(), recipe_.step, behind)
                               : place.times[static_cast<std::size_t>(at)]);
    if (times.back() > kLatestTime && recipe_.step.unit != TimeStep::Unit::numbers) {
      throw InvalidArgument(fmt::format(
          "--steps {}: expected times up to the year 9999, found later ones from step {} on", steps,
          i + 1));
    }
  }
  return times;
}

std::vector<double> WindowTimes::of_inputs(const WindowPlace& place) const {
  if (place.times.empty()) return {};
  return {place.times.begin(), place.times.begin() + input_len_};
}

void WindowTimes::check(const WindowPlace& place, const std::string& where) {
  for (std::size_t i = 1; i < place.times.size() && recipe_.step.is_known(); ++i) {
    if (are_close(place.times[i], time_after(place.times[i - 1], recipe_.step))) continue;
    if (++others_ > 0 && recipe_.other_steps > 0) continue;
    const auto text = [&](double time) {
      return TimeFormat::of_name(recipe_.time_format).format(time);
    };
    const std::string of_series =
        place.series.empty() ? where : fmt::format("{}: series '{}'", where, place.series);
    const auto back = std::ranges::adjacent_find(place.times, std::greater());
    if (back != place.times.end()) {
      throw DataError(fmt::format("{}: expected rows in the order of time, found {} behind {}",
                                  of_series, text(*std::next(back)), text(*back)));
    }
    throw DataError(fmt::format(
        "{}: expected a row every {}, as the data that the model was trained on have, found {} "
        "and {} next to each other (prepare --like with --resample and --missing makes rows "
        "regular)",
        of_series, to_string(recipe_.step), text(place.times[i - 1]), text(place.times[i])));
  }
}

void WindowTimes::tell() const {
  if (others_ == 0) return;
  note(
      fmt::format("{} of the rows that the forecasts set out from are not {} behind the row "
                  "before, as of the data that the model was trained on",
                  others_, to_string(recipe_.step)));
}

}  // namespace quadgate::apps
