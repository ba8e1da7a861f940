#include "io/files/replace_file.h"

#include "io/files/temporary_file.h"

namespace quadgate {

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous) {
  TemporaryFile file(path);
  file.write(bytes);
  file.sync_and_close();
  file.rename(previous);
}

}  // namespace quadgate
