#include "io/importers/zone_use.h"

#include <fmt/format.h>

namespace quadgate {

bool says_zone(std::string_view time) {
  const std::size_t behind_date = time.find_first_of("T ");
  return behind_date != std::string_view::npos &&
         time.find_first_of("Zz+-", behind_date) != std::string_view::npos;
}

std::string ZoneUse::add(std::string_view time, const std::filesystem::path& path,
                         std::int64_t line) {
  const bool is_used = says_zone(time);
  if (!is_used_) {
    is_used_ = is_used;
    path_ = path;
    line_ = line;
  }
  if (is_used == *is_used_) return {};
  return fmt::format("a time {} a zone, as in {}:{} (all of them have one, or none)",
                     is_used ? "without" : "with", path_.string(), line_);
}

}  // namespace quadgate
