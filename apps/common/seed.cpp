#include "apps/common/seed.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace quadgate::apps {

std::string expect_seed(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size()
             ? ""
             : fmt::format("expected a whole number from 0 to 2^64 - 1, found '{}'", text);
}

}  // namespace quadgate::apps
