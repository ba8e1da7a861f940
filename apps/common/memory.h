#pragma once

#include <filesystem>
#include <optional>

namespace quadgate::apps {

/// Memory as the system sees it, in bytes.
struct Memory {
  double taken = 0;                   ///< by this process; 0 where the system does not tell
  std::optional<double> available{};  ///< to it, with what it has; empty where it does not tell
};

/// Available is what the machine and every control group of this process can still give, the fewest
/// of them. Swap, and what the system holds of files, count as free. proc/ and sys/ lie in `root`.
Memory memory_now(const std::filesystem::path& root = "/");

}  // namespace quadgate::apps
