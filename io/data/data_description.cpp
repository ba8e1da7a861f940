#include "io/data/data_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "io/attributes/attributes.h"

namespace quadgate {
namespace {

TextLevel read_level(const AttributeReader& from) {
  const std::string found = from.read_string("token_level");
  for (const TextLevel level : {TextLevel::words, TextLevel::characters}) {
    if (found == to_string(level)) return level;
  }
  throw FileError(fmt::format("{}: expected words or characters, found '{}'",
                              from.where("token_level"), found));
}

void expect_all(const AttributeReader& from, const char* name, const std::vector<double>& values,
                const char* expected, bool (*holds)(double)) {
  const auto bad = std::ranges::find_if_not(values, holds);
  if (bad == values.end()) return;
  throw FileError(fmt::format("{}: expected {}, found {} as number {}", from.where(name), expected,
                              *bad, bad - values.begin()));
}

void read_scale(const AttributeReader& from, DataDescription& description) {
  if (from.has("mean")) description.mean = from.read_doubles("mean");
  if (from.has("std")) description.std = from.read_doubles("std");
  if (description.mean.size() != description.std.size()) {
    throw FileError(fmt::format("{}: expected {} values, as many as mean has, found {}",
                                from.where("std"), description.mean.size(),
                                description.std.size()));
  }
  expect_all(from, "mean", description.mean, "finite numbers",
             [](double mean) { return std::isfinite(mean); });
  expect_all(from, "std", description.std, "finite numbers above 0",
             [](double std) { return std::isfinite(std) && std > 0; });
}

std::vector<std::string> read_known(const AttributeReader& from,
                                    const std::vector<std::string>& features) {
  std::vector<std::string> names = from.read_strings("known_names");
  for (const std::string& name : names) {
    if (std::ranges::count(names, name) == 1 && std::ranges::count(features, name) == 1) continue;
    throw FileError(fmt::format("{}: expected names of features, each once, found '{}'",
                                from.where("known_names"), name));
  }
  return names;
}

}  // namespace

std::string_view to_string(TextLevel level) {
  return level == TextLevel::words ? "words" : "characters";
}

std::vector<std::int64_t> target_columns(const DataDescription& description) {
  std::vector<std::int64_t> columns;
  const auto& names = description.feature_names;
  for (const std::string& target : description.window->targets) {
    const auto found = std::ranges::find(names, target);
    if (found == names.end()) {
      throw InvalidArgument(fmt::format("targets: expected columns out of {}, found '{}'",
                                        fmt::join(names, ", "), target));
    }
    if (std::ranges::find(columns, found - names.begin()) != columns.end()) {
      throw InvalidArgument(
          fmt::format("targets: expected columns that differ, found '{}' twice", target));
    }
    columns.push_back(found - names.begin());
  }
  return columns;
}

std::optional<Task> task_from_name(std::string_view name) {
  for (const Task task : {Task::classification, Task::tagging, Task::regression}) {
    if (name == to_string(task)) return task;
  }
  return {};
}

DataDescription read_data_description(const AttributeReader& from) {
  DataDescription description;
  const auto has = [&](const char* name) { return from.has(name); };
  if (has("feature_names")) description.feature_names = from.read_strings("feature_names");
  if (has("known_names")) description.known_names = read_known(from, description.feature_names);
  if (has("token_names")) description.token_names = from.read_strings("token_names");
  if (has("token_level")) description.token_level = read_level(from);
  if (has("tag_column")) description.tag_column = from.read_string("tag_column");
  if (has("class_names")) description.class_names = from.read_strings("class_names");
  read_scale(from, description);
  if (has("input_len")) {
    description.window = Window{.input_len = from.read_int("input_len"),
                                .horizon = from.read_int("horizon"),
                                .stride = from.read_int("stride"),
                                .targets = from.read_strings("target_names")};
  }
  if (has("streams")) {
    description.streams =
        Streams{.count = from.read_int("streams"), .bptt_len = from.read_int("bptt_len")};
  }
  if (has(kSourceKind)) description.recipe = read_recipe(from);
  return description;
}

void write_data_description(AttributeWriter& to, const DataDescription& description) {
  const auto write_names = [&](const char* name, const std::vector<std::string>& names) {
    if (!names.empty()) to.write_strings(name, names);
  };
  write_names("feature_names", description.feature_names);
  write_names("known_names", description.known_names);
  write_names("token_names", description.token_names);
  if (description.token_level != TextLevel::words) {
    to.write_string("token_level", std::string(to_string(description.token_level)));
  }
  if (!description.tag_column.empty()) to.write_string("tag_column", description.tag_column);
  write_names("class_names", description.class_names);
  if (!description.mean.empty()) to.write_doubles("mean", description.mean);
  if (!description.std.empty()) to.write_doubles("std", description.std);
  if (description.window) {
    to.write_int("input_len", description.window->input_len);
    to.write_int("horizon", description.window->horizon);
    to.write_int("stride", description.window->stride);
    to.write_strings("target_names", description.window->targets);
  }
  if (description.streams) {
    to.write_int("streams", description.streams->count);
    to.write_int("bptt_len", description.streams->bptt_len);
  }
  if (description.recipe) write_recipe(to, *description.recipe);
}

}  // namespace quadgate
