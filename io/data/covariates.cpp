#include "io/data/covariates.h"

#include <algorithm>

#include "io/data/calendar.h"

namespace quadgate {
namespace {

std::vector<std::string> names_of_covariates(const DataDescription& data) {
  return data.recipe ? added_names(*data.recipe) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> added_names(const Recipe& recipe) {
  return calendar_names(recipe.calendar);
}

bool has_covariates(const DataDescription& data) { return !names_of_covariates(data).empty(); }

std::vector<std::int64_t> covariate_columns(const DataDescription& data) {
  std::vector<std::int64_t> columns;
  for (const std::string& name : names_of_covariates(data)) {
    const auto found = std::ranges::find(data.feature_names, name);
    if (found != data.feature_names.end()) columns.push_back(found - data.feature_names.begin());
  }
  return columns;
}

std::vector<std::string> series_names_of(const DataDescription& data) {
  std::vector<std::string> names = data.feature_names;
  for (const std::string& name : names_of_covariates(data)) std::erase(names, name);
  return names;
}

}  // namespace quadgate
