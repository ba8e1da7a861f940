#include "io/files/read_at.h"

#include <unistd.h>

#include <cerrno>

namespace quadgate {

std::optional<std::size_t> read_at(int descriptor, std::int64_t offset, std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ::ssize_t got = ::pread(descriptor, out.data() + filled, out.size() - filled,
                                  offset + static_cast<::off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace quadgate
