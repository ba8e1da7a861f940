#include <fmt/format.h>

#include <algorithm>

#include "engine/base/error.h"
#include "io/data/dataset_kinds.h"
#include "io/data/sequence_split.h"

namespace quadgate::detail {
namespace {

constexpr std::int64_t kMostUnnamedClasses = 1 << 20;  // a larger label is a mistake

/// Integers that lie as tokens do, [n, T] or [sum of lengths], are no features.
bool holds_tokens(const hdf5::File& file, const hdf5::Array& x) {
  if (file.has_attribute("", "token_names")) return true;
  const std::string split = x.name().substr(0, x.name().rfind('/'));
  const std::size_t rank_of_features = file.has(split + "/offsets") ? 2 : 3;
  return x.element() != hdf5::Element::float32 && x.shape().size() < rank_of_features;
}

void open_steps(const hdf5::File& file, const hdf5::Array& x, const DataDescription* model,
                OpenDataset& data) {
  if (holds_tokens(file, x)) {
    expect_vocabulary(file, data.description);
  } else {
    open_features(file, x, model, data);
  }
}

std::int64_t largest_label(const hdf5::File& file, std::int64_t ignore_index) {
  std::int64_t largest = 0;
  std::vector<std::int64_t> labels;
  for (const std::string& name : split_groups(file)) {
    if (!file.has(name + "/y")) continue;
    const hdf5::Array y = file.array(name + "/y");
    y.expect(hdf5::Element::int64, {hdf5::kAnySize}, "labels");
    labels.resize(static_cast<std::size_t>(y.size()));
    y.read(0, y.size(), labels);
    for (const std::int64_t label : labels) {
      if (label != ignore_index) largest = std::max(largest, label);
    }
  }
  return largest;
}

// Classes without names in the file: as many as the labels tell, called "0", "1", ...
void name_classes(const hdf5::File& file, std::int64_t ignore_index, OpenDataset& data) {
  const std::int64_t largest = largest_label(file, ignore_index);
  if (largest >= kMostUnnamedClasses) {
    throw DataError(fmt::format("{}: attribute 'class_names': expected for a label as large as {}",
                                file.path().string(), largest));
  }
  for (std::int64_t label = 0; label <= largest; ++label) {
    data.description.class_names.push_back(std::to_string(label));
  }
}

// Classes that have no names are the model's. Where the model knows none, they keep theirs.
void show_classes(const DataDescription& model, OpenDataset& data) {
  std::vector<std::string>& names = data.description.class_names;
  if (names == model.class_names || names.size() > model.class_names.size()) return;
  if (data.has_class_names) {
    const MatchedNames matched = match_names(model.class_names, names);
    if (!matched.problem.empty() || !std::ranges::is_sorted(matched.columns)) return;
    data.notes.push_back(fmt::format("{}: classes: {}", data.path.string(), matched.note));
    if (is_numbered(model.class_names)) return;
  } else if (!is_numbered(model.class_names)) {
    data.notes.push_back(fmt::format("{}: classes: {} taken to be {}, in this order",
                                     data.path.string(), names_text(names),
                                     names_text(model.class_names)));
  }
  names = model.class_names;
}

void open_classes(const hdf5::File& file, std::int64_t ignore_index, const DataDescription* model,
                  OpenDataset& data) {
  data.has_class_names = file.has_attribute("", "class_names");
  if (!data.has_class_names) name_classes(file, ignore_index, data);
  if (data.description.class_names.empty()) {
    throw FileError(file.where("", "class_names") +
                    ": expected the names of all classes of y, found none");
  }
  if (model != nullptr) show_classes(*model, data);
  data.output_size = std::ssize(data.description.class_names);
}

std::int64_t count_values(const hdf5::Array& y) {
  y.expect(hdf5::Element::float32, {hdf5::kAnySize, hdf5::kAnySize}, "[n, O]");
  return last_size(y);
}

}  // namespace

OpenDataset open_sequences(const hdf5::File& file, Task task, std::int64_t ignore_index,
                           const DataDescription* model) {
  const std::vector<std::string> names = split_groups(file);
  OpenDataset data = describe(file);
  data.task = task;
  open_steps(file, file.array(names.front() + "/x"), model, data);
  if (task == Task::regression && !file.has(names.front() + "/y")) {
    data.output_size = 0;  // nobody knows
  } else if (task == Task::regression) {
    data.output_size = count_values(file.array(names.front() + "/y"));
  } else {
    open_classes(file, ignore_index, model, data);
  }
  const SequenceSizes sizes{data.input_size, std::ssize(data.description.token_names),
                            data.output_size, ignore_index};
  for (const std::string& name : names) {
    data.splits[name] = std::make_unique<SequenceSplit>(file, name, task, sizes, data.view);
  }
  return data;
}

}  // namespace quadgate::detail
