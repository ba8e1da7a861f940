#include "io/data/covariates.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "io/data/calendar.h"

namespace quadgate {
namespace {

std::vector<std::string> names_of_covariates(const DataDescription& data) {
  std::vector<std::string> names =
      data.recipe ? added_names(*data.recipe) : std::vector<std::string>();
  names.insert(names.end(), data.known_names.begin(), data.known_names.end());
  return names;
}

}  // namespace

std::vector<std::string> added_names(const Recipe& recipe) {
  std::vector<std::string> names;
  for (const StaticColumn& column : recipe.statics) {
    if (column.classes.empty()) names.push_back(column.name);
    for (const std::string& of : column.classes) names.push_back(column.name + "=" + of);
  }
  for (std::string& name : calendar_names(recipe.calendar)) names.push_back(std::move(name));
  return names;
}

bool has_covariates(const DataDescription& data) { return !names_of_covariates(data).empty(); }

std::vector<std::int64_t> covariate_columns(const DataDescription& data) {
  std::vector<std::int64_t> columns;
  for (const std::string& name : names_of_covariates(data)) {
    const auto found = std::ranges::find(data.feature_names, name);
    if (found != data.feature_names.end()) columns.push_back(found - data.feature_names.begin());
  }
  for (std::size_t i = 0; i < data.known_names.size(); ++i) {
    columns.push_back(std::ssize(data.feature_names) + static_cast<std::int64_t>(i));
  }
  return columns;
}

std::vector<double> of_inputs(const DataDescription& data, std::vector<double> values) {
  if (values.empty()) return values;
  for (const std::string& name : data.known_names) {
    const auto found = std::ranges::find(data.feature_names, name);
    values.push_back(values.at(static_cast<std::size_t>(found - data.feature_names.begin())));
  }
  return values;
}

std::vector<std::string> series_names_of(const DataDescription& data) {
  std::vector<std::string> names = data.feature_names;
  for (const std::string& name : names_of_covariates(data)) std::erase(names, name);
  return names;
}

}  // namespace quadgate
