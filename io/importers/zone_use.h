#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace quadgate {

/// Whether a time says its zone: "...13:30Z", "...13:30+02:00".
bool says_zone(std::string_view time);

/// Whether the times of a table say their zone. All do or none does: no zone is known of the
/// others.
class ZoneUse {
 public:
  /// Takes the time in a line. Returns what was expected of it instead, or nothing.
  std::string add(std::string_view time, const std::filesystem::path& path, std::int64_t line);

 private:
  std::optional<bool> is_used_{};
  std::filesystem::path path_{};  // of the first time
  std::int64_t line_ = 0;
};

}  // namespace quadgate
