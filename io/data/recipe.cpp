#include "io/data/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/error.h"
#include "io/attributes/attributes.h"
#include "io/data/calendar.h"

namespace quadgate {
namespace {

using Text = std::pair<const char*, std::string Recipe::*>;

constexpr std::array kTexts{Text{kSourceKind, &Recipe::kind},
                            Text{"source_time", &Recipe::time},
                            Text{"source_group", &Recipe::group},
                            Text{"source_decimal", &Recipe::decimal},
                            Text{"source_date_order", &Recipe::date_order},
                            Text{"source_time_format", &Recipe::time_format},
                            Text{"source_resample", &Recipe::resample},
                            Text{"source_missing", &Recipe::missing},
                            Text{"source_level", &Recipe::level}};

std::vector<std::string> read_calendar(const AttributeReader& from) {
  std::vector<std::string> parts = from.read_strings("source_calendar");
  const auto bad = std::ranges::find_if_not(parts, is_calendar_part);
  if (bad == parts.end()) return parts;
  throw FileError(fmt::format("{}: expected some of {}, found '{}'", from.where("source_calendar"),
                              fmt::join(calendar_parts(), ", "), *bad));
}

std::vector<StaticColumn> read_statics(const AttributeReader& from) {
  std::vector<StaticColumn> columns;
  for (std::string& name : from.read_strings("source_static")) columns.push_back({std::move(name)});
  if (!from.has("source_static_classes")) return columns;
  const std::vector<std::string> classes = from.read_strings("source_static_classes");
  const std::vector<std::string> of = from.read_strings("source_static_class_of");
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto column =
        std::ranges::find(columns, i < of.size() ? of[i] : std::string(), &StaticColumn::name);
    if (column == columns.end() || of.size() != classes.size()) {
      throw FileError(fmt::format("{}: expected a column of source_static for each of {} classes",
                                  from.where("source_static_class_of"), classes.size()));
    }
    column->classes.push_back(classes[i]);
  }
  return columns;
}

void write_statics(AttributeWriter& to, const std::vector<StaticColumn>& columns) {
  std::vector<std::string> names;
  std::vector<std::string> classes;
  std::vector<std::string> of;
  for (const StaticColumn& column : columns) {
    names.push_back(column.name);
    classes.insert(classes.end(), column.classes.begin(), column.classes.end());
    of.insert(of.end(), column.classes.size(), column.name);
  }
  to.write_strings("source_static", names);
  if (classes.empty()) return;
  to.write_strings("source_static_classes", classes);
  to.write_strings("source_static_class_of", of);
}

// None if there is no such attribute.
TimeStep read_step(const AttributeReader& from, const char* name) {
  if (!from.has(name)) return {};
  const std::string text = from.read_string(name);
  if (const auto step = time_step_from_text(text)) return *step;
  throw FileError(
      fmt::format("{}: expected a step like 15min or 1 month, found '{}'", from.where(name), text));
}

void write_step(AttributeWriter& to, const char* name, const TimeStep& step) {
  if (step.is_known()) to.write_string(name, to_string(step));
}

}  // namespace

Recipe read_recipe(const AttributeReader& from) {
  Recipe recipe;
  for (const auto& [name, field] : kTexts) {
    if (from.has(name)) recipe.*field = from.read_string(name);
  }
  if (from.has("source_calendar")) recipe.calendar = read_calendar(from);
  if (from.has("source_static")) recipe.statics = read_statics(from);
  if (from.has("source_fill")) recipe.fill = from.read_doubles("source_fill");
  if (from.has("source_other_steps")) recipe.other_steps = from.read_int("source_other_steps");
  if (from.has("source_min_count")) recipe.min_count = from.read_int("source_min_count");
  recipe.step = read_step(from, "source_step");
  recipe.source_step = read_step(from, "source_resampled_from");
  return recipe;
}

void write_recipe(AttributeWriter& to, const Recipe& recipe) {
  for (const auto& [name, field] : kTexts) {
    if (!(recipe.*field).empty()) to.write_string(name, recipe.*field);
  }
  if (!recipe.calendar.empty()) to.write_strings("source_calendar", recipe.calendar);
  if (!recipe.statics.empty()) write_statics(to, recipe.statics);
  if (!recipe.fill.empty()) to.write_doubles("source_fill", recipe.fill);
  if (recipe.other_steps > 0) to.write_int("source_other_steps", recipe.other_steps);
  if (recipe.min_count > 0) to.write_int("source_min_count", recipe.min_count);
  write_step(to, "source_step", recipe.step);
  write_step(to, "source_resampled_from", recipe.source_step);
}

}  // namespace quadgate
