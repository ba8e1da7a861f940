#pragma once

#include <cstdint>

namespace quadgate::hdf5 {

/// Gives the properties of a file access (H5P_FILE_ACCESS) to a driver that reads the file of a
/// descriptor, which must stay open. The name that HDF5 opens means nothing to it: HDF5's own
/// driver opens a name, which may be of another file by then, or of none.
void use_read_driver(std::int64_t access, int descriptor);

/// What a file being made tells of its writes.
struct DiskWrites {
  int error = 0;  ///< errno of the first one that failed, after which nothing more is written
};

/// Gives the properties of a file access (H5P_FILE_ACCESS) to a driver for files being made.
///
/// HDF5 cannot close a file whose last writes fail: the program then ends with it. So this driver
/// keeps the first failure for the maker of the file, in `writes`, and lets HDF5 go on as if the
/// rest were written. `writes` must outlive the file.
void use_write_driver(std::int64_t access, DiskWrites& writes);

}  // namespace quadgate::hdf5
