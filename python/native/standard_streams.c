// Debian's archive of HDF5 is compiled for programs: it takes stderr and stdout for variables of its own
// file, which a library may not. The linker's option --wrap gives it these in their place.

#include <stdio.h>

// NOLINTBEGIN(readability-identifier-naming): the names are the linker's.
extern FILE* __real_stderr;
extern FILE* __real_stdout;

__attribute__((visibility("hidden"))) FILE* __wrap_stderr;
__attribute__((visibility("hidden"))) FILE* __wrap_stdout;

// In front of what C++ initializes.
__attribute__((constructor(101))) static void take_over(void) {
  __wrap_stderr = __real_stderr;
  __wrap_stdout = __real_stdout;
}
// NOLINTEND(readability-identifier-naming)
