#pragma once

#include <filesystem>

namespace quadgate::hdf5 {

/// Says which program reads HDF5 files, a process a file: damaged ones can crash the library that
/// reads them. Without a call it is the one that is installed beside quadgate's libraries,
/// `libexec/quadgate-hdf5-reader`; a program that is to run where that is not brings a copy. It
/// must be of the same build. Files that are open keep theirs. Safe to call from several threads.
void set_reader_program(std::filesystem::path program);

}  // namespace quadgate::hdf5
