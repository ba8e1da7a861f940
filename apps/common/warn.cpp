#include "apps/common/warn.h"

#include <fmt/format.h>

#include <cstdio>

namespace quadgate::apps {

void warn(std::string_view line) {
  std::fputs(fmt::format("quadgate: warning: {}\n", line).c_str(), stderr);
}

void note(std::string_view line) {
  std::fputs(fmt::format("quadgate: note: {}\n", line).c_str(), stderr);
}

}  // namespace quadgate::apps
