#pragma once

#include <map>
#include <optional>
#include <string>

#include "io/hdf5/file_writer.h"
#include "io/hdf5/object.h"

namespace quadgate::hdf5 {

/// All attributes of an object by their names. Empty if they are damaged. Under a LibraryLock.
std::optional<std::map<std::string, Attribute>> read_attributes(const Handle& object);

}  // namespace quadgate::hdf5
