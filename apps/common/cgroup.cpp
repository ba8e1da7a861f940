#include "apps/common/cgroup.h"

#include <fstream>
#include <string>

namespace quadgate::apps {

void for_each_cgroup(const std::filesystem::path& root, std::string_view controller,
                     const std::function<void(const std::filesystem::path& group)>& body) {
  std::string wanted(",");
  wanted.append(controller).append(",");
  std::ifstream groups(root / "proc/self/cgroup");
  // A line a hierarchy, "ID:CONTROLLERS:/PATH"; v2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find(wanted) == std::string::npos) continue;
    const auto mount = root / "sys/fs/cgroup" / (is_v2 ? std::string_view() : controller);
    // In a container the path may lead nowhere.
    std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();
    while (true) {
      body(mount / group);
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
}

}  // namespace quadgate::apps
