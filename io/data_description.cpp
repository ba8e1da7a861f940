#include "io/data_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/error.h"

namespace quadgate {
namespace {

TextLevel read_level(const hdf5::File& file, const std::string& group) {
  const std::string found = file.read_string(group, "token_level");
  for (const TextLevel level : {TextLevel::words, TextLevel::characters}) {
    if (found == to_string(level)) return level;
  }
  throw FileError(fmt::format("{}: expected words or characters, found '{}'",
                              file.where(group, "token_level"), found));
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

DataDescription read_data_description(const hdf5::File& file, const std::string& group) {
  DataDescription description;
  const auto has = [&](const char* name) { return file.has_attribute(group, name); };
  if (has("feature_names")) description.feature_names = file.read_strings(group, "feature_names");
  if (has("token_names")) description.token_names = file.read_strings(group, "token_names");
  if (has("token_level")) description.token_level = read_level(file, group);
  if (has("class_names")) description.class_names = file.read_strings(group, "class_names");
  if (has("mean")) description.mean = file.read_floats(group, "mean");
  if (has("std")) description.std = file.read_floats(group, "std");
  if (has("input_len")) {
    description.window = Window{.input_len = file.read_int(group, "input_len"),
                                .horizon = file.read_int(group, "horizon"),
                                .stride = file.read_int(group, "stride"),
                                .targets = file.read_strings(group, "target_names")};
  }
  if (has("streams")) {
    description.streams = Streams{.count = file.read_int(group, "streams"),
                                  .bptt_len = file.read_int(group, "bptt_len")};
  }
  return description;
}

void write_data_description(hdf5::File& file, const std::string& group,
                            const DataDescription& description) {
  const auto write_names = [&](const char* name, const std::vector<std::string>& names) {
    if (!names.empty()) file.write_strings(group, name, names);
  };
  write_names("feature_names", description.feature_names);
  write_names("token_names", description.token_names);
  if (description.token_level != TextLevel::words) {
    file.write_string(group, "token_level", std::string(to_string(description.token_level)));
  }
  write_names("class_names", description.class_names);
  if (!description.mean.empty()) file.write_floats(group, "mean", description.mean);
  if (!description.std.empty()) file.write_floats(group, "std", description.std);
  if (description.window) {
    file.write_int(group, "input_len", description.window->input_len);
    file.write_int(group, "horizon", description.window->horizon);
    file.write_int(group, "stride", description.window->stride);
    file.write_strings(group, "target_names", description.window->targets);
  }
  if (description.streams) {
    file.write_int(group, "streams", description.streams->count);
    file.write_int(group, "bptt_len", description.streams->bptt_len);
  }
}

}  // namespace quadgate
