#include "tests/support/paths.h"

namespace quadgate::paths {

std::string in_source(std::string_view file) {
  return QUADGATE_SOURCE_FOLDER "/" + std::string(file);
}

std::string in_build(std::string_view file) {
  return QUADGATE_BUILD_FOLDER "/" + std::string(file);
}

}  // namespace quadgate::paths
