#include "apps/common/program.h"

#include <sys/auxv.h>

#include <system_error>
#include <utility>

namespace quadgate::apps {
namespace {

std::filesystem::path& other_program() {
  static std::filesystem::path program;
  return program;
}

}  // namespace

void set_program(std::filesystem::path program) { other_program() = std::move(program); }

std::filesystem::path this_program() {
  if (!other_program().empty()) return other_program();
  std::filesystem::path running = "/proc/self/exe";
  std::error_code error;
  if (std::filesystem::exists(running, error)) return running;
  // The kernel leaves the path that the program was started by, its address as a number.
  const auto* const path =
      reinterpret_cast<const char*>(::getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  return std::filesystem::absolute(path, error);
}

}  // namespace quadgate::apps
