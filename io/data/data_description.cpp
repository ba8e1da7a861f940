#include "io/data/data_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

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

/// The attributes `mean_name` and `std_name`, which may be absent.
struct MeanAndStd {
  std::vector<double> mean{};
  std::vector<double> std{};

  MeanAndStd() = default;
  MeanAndStd(const AttributeReader& from, const char* mean_name, const char* std_name) {
    if (from.has(mean_name)) mean = from.read_doubles(mean_name);
    if (from.has(std_name)) std = from.read_doubles(std_name);
    if (mean.size() != std.size()) {
      throw FileError(fmt::format("{}: expected {} values, as many as {} has, found {}",
                                  from.where(std_name), mean.size(), mean_name, std.size()));
    }
    expect_all(from, mean_name, mean, "finite numbers",
               [](double value) { return std::isfinite(value); });
    expect_all(from, std_name, std, "finite numbers above 0",
               [](double value) { return std::isfinite(value) && value > 0; });
  }
};

// Of series_mean and series_std, [series, features].
std::vector<SeriesScale> read_series_scales(const AttributeReader& from,
                                            const std::vector<std::string>& features) {
  std::vector<SeriesScale> scales;
  const MeanAndStd all(from, "series_mean", "series_std");
  if (all.mean.empty()) return scales;
  if (from.has("mean")) {
    throw FileError(from.where("series_mean") + ": expected none beside mean, found both");
  }
  const std::vector<std::string> names = from.read_strings("series_names");
  const std::size_t size =
      features.empty() ? all.mean.size() / std::max<std::size_t>(names.size(), 1) : features.size();
  if (all.mean.size() != names.size() * size) {
    throw FileError(fmt::format("{}: expected {} values, of {} series and {} features, found {}",
                                from.where("series_mean"), names.size() * size, names.size(), size,
                                all.mean.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto first = static_cast<std::ptrdiff_t>(i * size);
    const auto end = static_cast<std::ptrdiff_t>((i + 1) * size);
    scales.push_back({names[i],
                      {all.mean.begin() + first, all.mean.begin() + end},
                      {all.std.begin() + first, all.std.begin() + end}});
  }
  return scales;
}

void write_series_scales(AttributeWriter& to, const std::vector<SeriesScale>& scales) {
  std::vector<std::string> names;
  MeanAndStd all;
  for (const SeriesScale& scale : scales) {
    names.push_back(scale.name);
    all.mean.insert(all.mean.end(), scale.mean.begin(), scale.mean.end());
    all.std.insert(all.std.end(), scale.std.begin(), scale.std.end());
  }
  to.write_strings("series_names", names);
  to.write_doubles("series_mean", all.mean);
  to.write_doubles("series_std", all.std);
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

bool is_standardized(const DataDescription& description) {
  return !description.mean.empty() || !description.series_scales.empty();
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
  MeanAndStd scale(from, "mean", "std");
  description.mean = std::move(scale.mean);
  description.std = std::move(scale.std);
  description.series_scales = read_series_scales(from, description.feature_names);
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
  if (!description.series_scales.empty()) write_series_scales(to, description.series_scales);
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
