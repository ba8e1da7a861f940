#include "apps/common/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "apps/common/signals.h"
#include "engine/base/error.h"

namespace quadgate::apps {

void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is this one. Opened the wrong way around, it can be neither read nor
    // written.
    if (::fcntl(stream, F_GETFD) < 0) {
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

void flush_standard_output() {
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    if (stop_requested()) throw StopRequest();
    throw FileError("standard output: cannot be written");
  }
}

}  // namespace quadgate::apps
