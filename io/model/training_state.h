#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"
#include "io/model/checkpoint.h"

/// The group `/training` of a checkpoint.
namespace quadgate {

void write_training_state(hdf5::FileWriter& file, const TrainingState& state);

/// Throws FileError, naming file and attribute, also if a number cannot be. What files of older
/// programs lack gets the values that those programs meant.
TrainingState read_training_state(const hdf5::File& file);

/// An integer attribute of at least 0. Throws FileError.
std::int64_t read_count(const hdf5::File& file, const std::string& object, const std::string& name);

/// Throws FileError, beginning with `where`, if a value is not finite.
void expect_finite_tensor(std::span<const float> values, const std::string& where);

}  // namespace quadgate
