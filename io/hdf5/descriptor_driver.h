#pragma once

#include <cstdint>

namespace quadgate::hdf5 {

/// Gives the properties of a file access (H5P_FILE_ACCESS) to a driver that reads the file of a
/// descriptor, which must stay open. The name that HDF5 opens means nothing to it: HDF5's own
/// driver opens a name, which may be of another file by then, or of none.
void use_descriptor_driver(std::int64_t access, int descriptor);

}  // namespace quadgate::hdf5
