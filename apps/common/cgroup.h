#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace quadgate::apps {

/// Calls `body` with the folder of each control group that limits what `controller` ("cpu", say)
/// gives this process: its own and all above it, of version 1 and 2. proc/ and sys/ lie in `root`;
/// without them there are none.
void for_each_cgroup(const std::filesystem::path& root, std::string_view controller,
                     const std::function<void(const std::filesystem::path& group)>& body);

}  // namespace quadgate::apps
