// Lets a deadline pass, and comes before it. No tolerance: nothing is rounded.

#include "apps/common/start_deadline.h"

#include <gtest/gtest.h>

#include <future>

namespace quadgate::apps {
namespace {

using std::chrono::minutes;

TEST(StartDeadlineTest, ALateStartIsTold) {
  std::promise<void> late;
  const StartDeadline deadline(std::chrono::milliseconds(1), [&] { late.set_value(); });
  EXPECT_EQ(late.get_future().wait_for(minutes(1)), std::future_status::ready);
}

TEST(StartDeadlineTest, OneInTimeIsNot) {
  bool is_late = false;
  {
    const StartDeadline deadline(minutes(10), [&] { is_late = true; });
  }
  EXPECT_FALSE(is_late);
}

}  // namespace
}  // namespace quadgate::apps
