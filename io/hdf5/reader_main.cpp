// The program that reads HDF5 files for programs of quadgate's users; `quadgate` is its own.

#include <cstdio>

#include "io/hdf5/reader_command.h"

int main(int argc, char** argv) {
  if (quadgate::hdf5::run_reader(argc, argv)) return 0;
  std::fputs("quadgate-hdf5-reader: error: programs with quadgate start it, to read HDF5 files\n",
             stderr);
  return 2;
}
