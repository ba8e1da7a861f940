#include "io/files/replace_file.h"

#include <cerrno>
#include <cstdio>

#include "io/files/temporary_file.h"

namespace quadgate {

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous) {
  TemporaryFile file(path);
  file.write(bytes);
  file.sync_and_close();
  if (previous && std::rename(path.c_str(), previous->c_str()) != 0 && errno != ENOENT) {
    fail_to_write(*previous, errno);
  }
  file.rename();
}

}  // namespace quadgate
