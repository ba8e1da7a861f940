#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5/file_writer.h"
#include "io/hdf5/object.h"

/// The datasets of a file, by the HDF5 library. All under a LibraryLock. `where` begins messages:
/// "FILE: dataset 'train/x'". Functions throw FileError.
namespace quadgate::hdf5 {

/// Opens one with room for some of its chunks; without an identifier if that fails.
Handle open_dataset(const Handle& file, const std::string& name);

/// What its elements are, and how it is stored. Throws unless all of it lies in the file, in chunks
/// that the library can read.
DatasetInfo describe_dataset(const Handle& dataset, const std::string& where);

/// Puts `count` rows (slices of the first dimension), from row `first` on, into `out` as their
/// Element.
void read_rows(const Handle& dataset, std::int64_t first, std::int64_t count,
               const std::string& where, std::vector<std::byte>& out);

}  // namespace quadgate::hdf5
