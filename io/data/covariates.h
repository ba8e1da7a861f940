#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/data_description.h"

namespace quadgate {

/// The features that follow from others than a table's numbers, behind those in x: of its times.
std::vector<std::string> added_names(const Recipe& recipe);

/// Whether the data have features that a forecast knows without a model: those of added_names.
bool has_covariates(const DataDescription& data);

/// Their columns of x: no targets of a forecast, and no values with a level of their own.
std::vector<std::int64_t> covariate_columns(const DataDescription& data);

/// The names of all other features.
std::vector<std::string> series_names_of(const DataDescription& data);

}  // namespace quadgate
