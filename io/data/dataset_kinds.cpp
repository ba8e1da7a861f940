#include "io/data/dataset_kinds.h"

#include <fmt/format.h>

#include "engine/base/error.h"
#include "io/hdf5/attributes.h"

namespace quadgate::detail {
namespace {

// Names, mean and std have one element a feature.
void check_features(const hdf5::File& file, const OpenDataset& data) {
  const auto expect_size = [&](const char* attribute, std::size_t found) {
    if (found != static_cast<std::size_t>(data.input_size)) {
      throw FileError(fmt::format("{}: expected {} values, one a feature of x, found {}",
                                  file.where("", attribute), data.input_size, found));
    }
  };
  const DataDescription& description = data.description;
  expect_size("feature_names", description.feature_names.size());
  if (!description.mean.empty() || !description.std.empty()) {
    expect_size("mean", description.mean.size());
    expect_size("std", description.std.size());
  }
}

// Shows the features as the model knows them, if it does.
void show_features(const DataDescription& model, OpenDataset& data) {
  DataDescription& file = data.description;
  if (model.feature_names.empty() && model.mean.empty()) return;
  if (is_numbered(model.feature_names) && model.mean.empty() && !file.mean.empty()) {
    throw DataError(
        fmt::format("{}: scale: the model expects plain values, as far as it knows, found "
                    "standardized values (import --like tells a model from elsewhere)",
                    data.path.string()));
  }
  const auto& names = model.feature_names.empty() ? file.feature_names : model.feature_names;
  if (!model.mean.empty() && model.mean.size() != file.feature_names.size()) {
    throw DataError(fmt::format("{}: features: the model expects {}, found {}", data.path.string(),
                                model.mean.size(), file.feature_names.size()));
  }
  const MatchedNames matched = match_names(names, file.feature_names);
  if (!matched.problem.empty()) {
    throw DataError(
        fmt::format("{}: features: the model expects {}", data.path.string(), matched.problem));
  }
  if (!matched.note.empty()) {
    data.notes.push_back(fmt::format("{}: features: {}", data.path.string(), matched.note));
  }
  data.view = FeatureView(matched.columns, file, model);
  if (data.view.changes_scale()) {
    data.notes.push_back(fmt::format(
        "{}: {}", data.path.string(),
        file.mean.empty()    ? "not standardized: taken into the model's scale"
        : model.mean.empty() ? "standardized, as the model is not: taken back to its values"
                             : "standardized by another mean and std than the model's: "
                               "taken into the model's scale"));
  }
  file.feature_names = names;
  file.mean = model.mean;
  file.std = model.std;
}

}  // namespace

std::vector<std::string> split_groups(const hdf5::File& file) {
  std::vector<std::string> names;
  for (const char* name : kSplitNames) {
    if (file.has(name)) names.emplace_back(name);
  }
  if (names.empty()) {
    throw FileError(file.path().string() + ": expected a group train, valid or test, found none");
  }
  return names;
}

OpenDataset describe(const hdf5::File& file) {
  return {.path = file.path(), .description = read_data_description(hdf5::ObjectReader(file, ""))};
}

void open_features(const hdf5::File& file, const hdf5::Array& x, const DataDescription* model,
                   OpenDataset& data) {
  data.input_size = last_size(x);
  for (std::int64_t i = 0; i < data.input_size && !file.has_attribute("", "feature_names"); ++i) {
    data.description.feature_names.push_back(std::to_string(i));
  }
  check_features(file, data);
  if (model != nullptr) show_features(*model, data);
}

void expect_vocabulary(const hdf5::File& file, const DataDescription& description) {
  if (description.token_names.empty()) {
    throw FileError(file.where("", "token_names") +
                    ": expected the names of all tokens of x, found none");
  }
}

void expect_at_least_one(const char* field, std::int64_t value) {
  if (value < 1) {
    throw InvalidArgument(fmt::format("{}: expected at least 1, found {}", field, value));
  }
}

std::int64_t last_size(const hdf5::Array& array) {
  if (array.shape().empty() || array.shape().back() < 1) {
    throw FileError(fmt::format("{}: expected at least one feature, found shape {}", array.where(),
                                hdf5::shape_text(array.shape())));
  }
  return array.shape().back();
}

}  // namespace quadgate::detail
