#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/data_description.h"

namespace quadgate {

/// The features that are made of others than a row's numbers, behind those in x: of the static
/// columns of its series, and of its time.
std::vector<std::string> added_names(const Recipe& recipe);

/// Whether the data have features that a forecast knows without a model: those of added_names, and
/// known_names.
bool has_covariates(const DataDescription& data);

/// Their columns of a window's inputs, in which the known ones come again behind all features: no
/// targets, and no values with a level of their own.
std::vector<std::int64_t> covariate_columns(const DataDescription& data);

/// `values` of each feature (mean or std, or none), and once more of the known ones: those of a
/// window's inputs.
std::vector<double> of_inputs(const DataDescription& data, std::vector<double> values);

/// The names of all other features.
std::vector<std::string> series_names_of(const DataDescription& data);

}  // namespace quadgate
