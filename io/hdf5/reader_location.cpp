// Where the program that reads HDF5 files lies. An installed copy of this file is compiled by
// quadgate-config.cmake for each project that uses quadgate: only there is known where quadgate
// came to lie.

namespace quadgate::hdf5 {

extern const char* const kInstalledReader;
const char* const kInstalledReader = QUADGATE_HDF5_READER;

}  // namespace quadgate::hdf5
