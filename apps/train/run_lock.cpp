#include "apps/train/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/base/error.h"

namespace quadgate::apps {

RunLock::RunLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw FileError(fmt::format("{}: cannot be written: {}", file.string(),
                                std::generic_category().message(errno)));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw FileError(fmt::format("{}: another process trains here", folder.string()));
  }
  warning_ = fmt::format("{}: cannot be locked: {}; let no other process train into this folder",
                         file.string(), std::generic_category().message(errno));
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace quadgate::apps
