#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "io/hdf5/object.h"

namespace quadgate::hdf5 {

/// As bytes, from process to process of one build: numbers as they lie in memory, each text and
/// list behind its length.
std::vector<std::byte> encode(const Object& object);

/// Throws Unfit unless the bytes are an object, whose shapes can be. They are not trusted: the
/// process that made them may have read a damaged file.
Object decode(std::span<const std::byte> bytes);

}  // namespace quadgate::hdf5
