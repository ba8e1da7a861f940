// Restricts this thread to one of its CPUs, to none, and to all. No tolerance: CPUs have whole
// numbers.

#include "engine/threads/affinity.h"

#include <gtest/gtest.h>

#include <vector>

namespace quadgate {
namespace {

TEST(RestrictThreadTest, LeavesTheCpusThatAreNamed) {
  const std::vector<int> cpus = allowed_cpus();
  ASSERT_FALSE(cpus.empty());
  const std::vector<int> last = {cpus.back()};
  restrict_thread(current_thread_id(), last);
  EXPECT_EQ(allowed_cpus(), last);
  restrict_thread(current_thread_id(), {});  // none of them can be used: as before
  EXPECT_EQ(allowed_cpus(), last);
  restrict_thread(current_thread_id(), cpus);
  EXPECT_EQ(allowed_cpus(), cpus);
}

}  // namespace
}  // namespace quadgate
