#include "io/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset_kinds.h"
#include "io/hdf5/file.h"
#include "io/hdf5/formats.h"

namespace quadgate {
namespace {

/// How to read the rows of each kind.
struct Reading {
  const std::optional<Window>& window;
  const std::optional<Streams>& streams;
  std::int64_t ignore_index;
  const DataDescription* model;
};

std::string read_task(const hdf5::File& file) {
  file.expect_format(kDatasetFormat, kNewestDatasetVersion);
  std::string task = file.read_string("", "task");
  if (task != "forecast" && task != "language_model" && !task_from_name(task)) {
    throw FileError(fmt::format(
        "{}: expected classification, tagging, regression, forecast or language_model, found '{}'",
        file.where("", "task"), task));
  }
  return task;
}

detail::OpenDataset open_kind(const hdf5::File& file, const std::string& task,
                              const Reading& reading) {
  const auto& [window, streams, ignore_index, model] = reading;
  if ((task == "forecast") != window.has_value()) {
    throw InvalidArgument(fmt::format("{}: a window (input_len, horizon) is {} a {} data set",
                                      file.path().string(), window ? "not for" : "needed for",
                                      task));
  }
  if ((task == "language_model") != streams.has_value()) {
    throw InvalidArgument(fmt::format("{}: streams (bptt_len) are {} a {} data set",
                                      file.path().string(), streams ? "not for" : "needed for",
                                      task));
  }
  if (window) return detail::open_forecast(file, *window, model);
  if (streams) return detail::open_text(file, *streams);
  return detail::open_sequences(file, *task_from_name(task), ignore_index, model);
}

detail::OpenDataset open_all(std::span<const std::filesystem::path> paths, const Reading& reading) {
  if (paths.empty()) throw InvalidArgument("data set: expected at least one file, found none");
  std::vector<detail::OpenDataset> files;
  std::string task;
  for (const std::filesystem::path& path : paths) {
    if (reading.streams && !files.empty()) {
      throw InvalidArgument(fmt::format(
          "{}: a second file of a text; prepare text makes one data set of several files",
          path.string()));
    }
    const hdf5::File file = hdf5::File::open(path);
    const std::string found = read_task(file);
    if (files.empty()) task = found;
    if (found != task) {
      throw FileError(fmt::format("{}: attribute 'task': expected {}, as in {}, found {}",
                                  path.string(), task, paths.front().string(), found));
    }
    files.push_back(open_kind(file, task, reading));
    if (files.size() > 1) detail::expect_same(files.front(), files.back());
  }
  return files.size() == 1 ? std::move(files.front()) : detail::join(std::move(files));
}

}  // namespace

Dataset::Dataset(const std::filesystem::path& path, const std::optional<Window>& window,
                 const std::optional<Streams>& streams, std::int64_t ignore_index,
                 const DataDescription* model)
    : Dataset(std::span(&path, 1), window, streams, ignore_index, model) {}

Dataset::Dataset(std::span<const std::filesystem::path> paths, const std::optional<Window>& window,
                 const std::optional<Streams>& streams, std::int64_t ignore_index,
                 const DataDescription* model)
    : open_(std::make_unique<detail::OpenDataset>(
          open_all(paths, {window, streams, ignore_index, model}))) {}

Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&& other) noexcept = default;
Dataset& Dataset::operator=(Dataset&& other) noexcept = default;

const std::filesystem::path& Dataset::path() const noexcept { return open_->path; }
Task Dataset::task() const noexcept { return open_->task; }
std::int64_t Dataset::input_size() const noexcept { return open_->input_size; }
std::int64_t Dataset::output_size() const noexcept { return open_->output_size; }
const DataDescription& Dataset::description() const noexcept { return open_->description; }
const std::vector<std::string>& Dataset::notes() const noexcept { return open_->notes; }
bool Dataset::has_split(const std::string& name) const {
  return open_->splits.contains(name) || open_->empty.contains(name);
}

std::vector<std::string> Dataset::split_names() const {
  std::vector<std::string> names;
  for (const char* name : detail::kSplitNames) {
    if (has_split(name)) names.emplace_back(name);
  }
  return names;
}

WindowPlace Split::place(std::int64_t row) const {
  throw InvalidArgument(where(row) + ": no window of a forecast");
}

Split& Dataset::split(const std::string& name) {
  Split& split = inputs(name);
  if (split.has_targets()) return split;
  throw DataError(fmt::format(
      "{}: expected a target of each row, found none ({}/y): only 'predict' takes such a file",
      path().string(), name));
}

Split& Dataset::inputs(const std::string& name) {
  if (name == kFuture && is_forecast()) {
    if (!open_->future) open_->future = open_->open_future();
    return *open_->future;
  }
  if (const auto empty = open_->empty.find(name); empty != open_->empty.end()) {
    throw DataError(empty->second);
  }
  const auto found = open_->splits.find(name);
  if (found == open_->splits.end()) {
    throw InvalidArgument(fmt::format("{}: has no split '{}', only {}", path().string(), name,
                                      fmt::join(split_names(), ", ")));
  }
  return *found->second;
}

std::string read_dataset_task(const std::filesystem::path& path) {
  return read_task(hdf5::File::open(path));
}

}  // namespace quadgate
