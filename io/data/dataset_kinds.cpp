#include "io/data/dataset_kinds.h"

#include <fmt/format.h>

#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

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
  for (const SeriesScale& scale : description.series_scales) {
    expect_size("series_mean", scale.mean.size());
  }
}

// The scales that the series of the file are shown in: the model's, or, of a series that it does
// not know, the file's own, whose features are `columns`.
std::vector<SeriesScale> shown_scales(const hdf5::File& file, const DataDescription& model,
                                      std::span<const std::size_t> columns, OpenDataset& data) {
  std::vector<SeriesScale> shown;
  if (model.series_scales.empty()) return shown;
  if (!file.has_attribute("", "series_names")) {
    throw DataError(fmt::format(
        "{}: series: the model expects series with names, as each has a scale of its own, found "
        "none",
        data.path.string()));
  }
  std::unordered_map<std::string_view, const SeriesScale*> known;
  for (const SeriesScale& scale : model.series_scales) known.emplace(scale.name, &scale);
  const std::vector<SeriesScale>& own = data.description.series_scales;
  for (const std::string& name : file.read_strings("", "series_names")) {
    const auto found = known.find(name);
    if (found != known.end()) {
      shown.push_back(*found->second);
      continue;
    }
    if (own.empty()) {
      throw DataError(fmt::format(
          "{}: series '{}': the model knows no scale of it, and the file has none of its own "
          "('quadgate prepare --like' a checkpoint measures one)",
          data.path.string(), name));
    }
    SeriesScale& scale = shown.emplace_back(SeriesScale{.name = name});
    for (const std::size_t column : columns) {
      scale.mean.push_back(own.at(shown.size() - 1).mean[column]);
      scale.std.push_back(own.at(shown.size() - 1).std[column]);
    }
  }
  return shown;
}

// Shows the features as the model knows them, if it does.
void show_features(const hdf5::File& from, const DataDescription& model, OpenDataset& data) {
  DataDescription& file = data.description;
  if (model.feature_names.empty() && !is_standardized(model)) return;
  if (is_numbered(model.feature_names) && !is_standardized(model) && is_standardized(file)) {
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
  DataDescription shown{.mean = model.mean, .std = model.std};
  shown.series_scales = shown_scales(from, model, matched.columns, data);
  data.view = FeatureView(matched.columns, file, shown);
  if (const auto lost = data.view.lost_digits()) {
    throw DataError(fmt::format(
        "{}: {}feature '{}': expected values whose digits are enough in the model's scale, found "
        "float32 in another, which are off by {:.2g} of the model's std ('quadgate prepare --like' "
        "the checkpoint scales the source itself)",
        data.path.string(),
        shown.series_scales.empty()
            ? ""
            : fmt::format("series '{}': ", shown.series_scales.at(lost->series).name),
        names.at(lost->feature), lost->error));
  }
  if (data.view.changes_scale()) {
    data.notes.push_back(fmt::format(
        "{}: {}", data.path.string(),
        !is_standardized(file)    ? "not standardized: taken into the model's scale"
        : !is_standardized(model) ? "standardized, as the model is not: taken back to its values"
                                  : "standardized by another mean and std than the model's: "
                                    "taken into the model's scale"));
  }
  file.feature_names = names;
  file.mean = std::move(shown.mean);
  file.std = std::move(shown.std);
  file.series_scales = std::move(shown.series_scales);
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
  if (model != nullptr) show_features(file, *model, data);
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
