#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace quadgate::hdf5 {

/// The word that makes the program `quadgate` the one that reads HDF5 files.
inline constexpr const char* kReaderCommand = "read-hdf5";

/// What set_reader_program said last, or else the installed one.
std::filesystem::path reader_program();

/// The words of its command line: they name the file, in messages and lists of processes.
std::vector<std::string> reader_arguments(const std::filesystem::path& file);

/// What that program does: it serves the ReaderClient that started it, and ends with it. False, at
/// once, if none did.
bool run_reader(int argc, char** argv);

}  // namespace quadgate::hdf5
