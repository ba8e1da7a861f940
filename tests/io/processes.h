#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace quadgate::testing {

/// The number that a line "NAME: number" of /proc/PROCESS/status tells, else 0.
inline std::int64_t status_of(const std::string& process, const std::string& name) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string word; status >> word;) {
    std::int64_t number = 0;
    if (word == name + ":" && status >> number) return number;
  }
  return 0;
}

/// The processes that this one has started, those that have ended and are not waited for among
/// them.
inline std::vector<::pid_t> children() {
  std::vector<::pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        status_of(name, "PPid") == ::getpid()) {
      found.push_back(static_cast<::pid_t>(std::stol(name)));
    }
  }
  return found;
}

}  // namespace quadgate::testing
