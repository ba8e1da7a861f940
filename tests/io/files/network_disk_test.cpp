// A network file system is not at hand: what is none, and what cannot be asked.

#include "io/files/network_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace quadgate {
namespace {

TEST(NetworkDisk, IsNoneOfTheKernelsOwn) {
  const int descriptor = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(is_on_network_disk(descriptor));
  ::close(descriptor);
  EXPECT_FALSE(is_on_network_disk(-1));
}

}  // namespace
}  // namespace quadgate
