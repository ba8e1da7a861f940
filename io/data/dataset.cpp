#include "io/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/sequence_split.h"
#include "io/data/stream_split.h"
#include "io/data/window_split.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"

namespace quadgate {
namespace {

constexpr std::array<const char*, 3> kSplitNames{"train", "valid", "test"};
constexpr std::int64_t kMostUnnamedClasses = 1 << 20;  // a larger label is a mistake

void expect_at_least_one(const char* field, std::int64_t value) {
  if (value < 1) {
    throw InvalidArgument(fmt::format("{}: expected at least 1, found {}", field, value));
  }
}

void check_window(const Window& window) {
  expect_at_least_one("input_len", window.input_len);
  expect_at_least_one("horizon", window.horizon);
  expect_at_least_one("stride", window.stride);
}

std::string read_task(const hdf5::File& file) {
  file.expect_format("quadgate-dataset", kNewestDatasetVersion);
  std::string task = file.read_string("", "task");
  if (task != "forecast" && task != "language_model" && !task_from_name(task)) {
    throw FileError(fmt::format(
        "{}: expected classification, tagging, regression, forecast or language_model, found '{}'",
        file.where("", "task"), task));
  }
  return task;
}

// Names, mean and std have one element a feature.
void check_features(const hdf5::File& file, const DataDescription& description,
                    std::int64_t input_size) {
  const auto expect_size = [&](const char* attribute, std::size_t found) {
    if (found != static_cast<std::size_t>(input_size)) {
      throw FileError(fmt::format("{}: expected {} values, one a feature of x, found {}",
                                  file.where("", attribute), input_size, found));
    }
  };
  expect_size("feature_names", description.feature_names.size());
  if (!description.mean.empty() || !description.std.empty()) {
    expect_size("mean", description.mean.size());
    expect_size("std", description.std.size());
  }
}

void expect_vocabulary(const hdf5::File& file, const DataDescription& description) {
  if (description.token_names.empty()) {
    throw FileError(file.where("", "token_names") +
                    ": expected the names of all tokens of x, found none");
  }
}

std::vector<std::string> split_groups(const hdf5::File& file) {
  std::vector<std::string> names;
  for (const char* name : kSplitNames) {
    if (file.has(name)) names.emplace_back(name);
  }
  return names;
}

std::int64_t last_size(const hdf5::Array& array) {
  if (array.shape().empty() || array.shape().back() < 1) {
    throw FileError(fmt::format("{}: expected at least one feature, found shape {}", array.where(),
                                hdf5::shape_text(array.shape())));
  }
  return array.shape().back();
}

}  // namespace

Dataset::Dataset(const std::filesystem::path& path, const std::optional<Window>& window,
                 const std::optional<Streams>& streams, std::int64_t ignore_index)
    : file_(std::make_unique<hdf5::File>(hdf5::File::open(path))), ignore_index_(ignore_index) {
  const std::string task = read_task(*file_);
  const bool is_text = task == "language_model";
  task_ = is_text ? Task::tagging : task_from_name(task).value_or(Task::regression);
  if ((task == "forecast") != window.has_value()) {
    throw InvalidArgument(fmt::format("{}: a window (input_len, horizon) is {} a {} data set",
                                      path.string(), window ? "not for" : "needed for", task));
  }
  if (is_text != streams.has_value()) {
    throw InvalidArgument(fmt::format("{}: streams (bptt_len) are {} a {} data set", path.string(),
                                      streams ? "not for" : "needed for", task));
  }

  const std::vector<std::string> names = split_groups(*file_);
  if (names.empty()) {
    throw FileError(path.string() + ": expected a group train, valid or test, found none");
  }
  const std::string& first = names.front();
  description_ = read_data_description(hdf5::ObjectReader(*file_, ""));
  const hdf5::Array x = file_->array(first + "/x");
  const bool has_tokens =
      is_text || x.element() == hdf5::Element::int32 || file_->has_attribute("", "token_names");
  if (!window && has_tokens) {
    expect_vocabulary(*file_, description_);
  } else {
    open_features(x);
  }
  if (window) {
    open_forecast(*window);
  } else if (streams) {
    open_text(*streams);
  } else {
    open_sequences(first);
  }
}

void Dataset::open_features(const hdf5::Array& x) {
  input_size_ = last_size(x);
  for (std::int64_t i = 0; i < input_size_ && !file_->has_attribute("", "feature_names"); ++i) {
    description_.feature_names.push_back(std::to_string(i));
  }
  check_features(*file_, description_, input_size_);
}

void Dataset::open_forecast(const Window& window) {
  check_window(window);
  description_.window = window;
  if (window.targets.empty()) description_.window->targets = description_.feature_names;
  output_size_ = window.horizon * static_cast<std::int64_t>(target_columns(description_).size());
  for (const std::string& name : split_groups(*file_)) {
    splits_[name] = std::make_unique<WindowSplit>(*file_, name, description_);
  }
}

void Dataset::open_text(const Streams& streams) {
  expect_at_least_one("streams", streams.count);
  expect_at_least_one("bptt_len", streams.bptt_len);
  description_.streams = streams;
  description_.class_names = description_.token_names;
  output_size_ = vocabulary_size();
  for (const std::string& name : split_groups(*file_)) {
    splits_[name] = std::make_unique<StreamSplit>(*file_, name, streams, vocabulary_size());
  }
}

void Dataset::open_sequences(const std::string& first) {
  if (task_ == Task::regression) {
    const hdf5::Array y = file_->array(first + "/y");
    y.expect(hdf5::Element::float32, {hdf5::kAnySize, hdf5::kAnySize}, "[n, O]");
    output_size_ = last_size(y);
  } else {
    has_class_names_ = file_->has_attribute("", "class_names");
    if (!has_class_names_) name_classes();
    if (description_.class_names.empty()) {
      throw FileError(file_->where("", "class_names") +
                      ": expected the names of all classes of y, found none");
    }
    output_size_ = static_cast<std::int64_t>(description_.class_names.size());
  }
  for (const std::string& name : split_groups(*file_)) {
    splits_[name] = std::make_unique<SequenceSplit>(
        *file_, name, task_,
        SequenceSizes{input_size_, vocabulary_size(), output_size_, ignore_index_});
  }
}

// Classes without names in the file: as many as the labels tell, called "0", "1", ...
void Dataset::name_classes() {
  std::int64_t largest = 0;
  std::vector<std::int64_t> labels;
  for (const std::string& name : split_groups(*file_)) {
    const hdf5::Array y = file_->array(name + "/y");
    y.expect(hdf5::Element::int64, {hdf5::kAnySize}, "labels");
    labels.resize(static_cast<std::size_t>(y.size()));
    y.read(0, y.size(), labels);
    for (const std::int64_t label : labels) {
      if (label != ignore_index_) largest = std::max(largest, label);
    }
  }
  if (largest >= kMostUnnamedClasses) {
    throw DataError(fmt::format("{}: attribute 'class_names': expected for a label as large as {}",
                                path().string(), largest));
  }
  for (std::int64_t label = 0; label <= largest; ++label) {
    description_.class_names.push_back(std::to_string(label));
  }
}

Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&& other) noexcept = default;
Dataset& Dataset::operator=(Dataset&& other) noexcept = default;

const std::filesystem::path& Dataset::path() const noexcept { return file_->path(); }

std::vector<std::string> Dataset::split_names() const {
  std::vector<std::string> names;
  for (const char* name : kSplitNames) {
    if (has_split(name)) names.emplace_back(name);
  }
  return names;
}

Split& Dataset::split(const std::string& name) {
  const auto found = splits_.find(name);
  if (found == splits_.end()) {
    throw InvalidArgument(fmt::format("{}: has no split '{}', only {}", path().string(), name,
                                      fmt::join(split_names(), ", ")));
  }
  return *found->second;
}

std::string read_dataset_task(const std::filesystem::path& path) {
  return read_task(hdf5::File::open(path));
}

}  // namespace quadgate
