#include "apps/train/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// Whether the lock came, or errno. A run that was killed just now has it until the system has
/// ended all of it.
bool take_lock(int descriptor) {
  constexpr int kTries = 20;
  for (int tries = 0; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK || tries == kTries) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw FileError(fmt::format("{}: cannot be written: {}", file.string(),
                                std::generic_category().message(errno)));
  }
  if (take_lock(descriptor_)) return;
  if (errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw FileError(fmt::format("{}: another process trains here", folder.string()));
  }
  warning_ = fmt::format("{}: cannot be locked: {}; let no other process train into this folder",
                         file.string(), std::generic_category().message(errno));
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace quadgate::apps
