#include "apps/common/program.h"

#include <sys/auxv.h>

#include <system_error>

namespace quadgate::apps {

std::filesystem::path this_program() {
  std::filesystem::path running = "/proc/self/exe";
  std::error_code error;
  if (std::filesystem::exists(running, error)) return running;
  // The kernel leaves the path that the program was started by, its address as a number.
  const auto* const path =
      reinterpret_cast<const char*>(::getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  return std::filesystem::absolute(path, error);
}

}  // namespace quadgate::apps
