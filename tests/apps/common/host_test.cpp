// What a thread's host gets, in the place of stderr and signals. No tolerance: text.

#include "apps/common/host.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "apps/common/signals.h"
#include "apps/common/warn.h"

namespace quadgate::apps {
namespace {

TEST(HostTest, IsToldWhatWouldBePrinted) {
  std::vector<std::string> lines;
  const Host host{.tell =
                      [&](Host::Kind kind, std::string_view line) {
                        lines.push_back(std::to_string(static_cast<int>(kind)) + std::string(line));
                      },
                  .stops = {}};
  testing::internal::CaptureStderr();
  {
    const Hosted hosted(host);
    tell("a");
    note("b");
    warn("c");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(lines, (std::vector<std::string>{"0a", "1b", "2c"}));
  testing::internal::CaptureStderr();
  tell("d");
  note("e");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "d\nquadgate: note: e\n");
}

TEST(HostTest, SaysWhenItsThreadStops) {
  bool stops = false;
  const Host host{.tell = {}, .stops = [&] { return stops; }};
  const Hosted hosted(host);
  EXPECT_FALSE(stop_requested());
  stops = true;
  EXPECT_TRUE(stop_requested());
  std::jthread([] { EXPECT_FALSE(stop_requested()); });
}

TEST(HostTest, KeepsItsSignals) {
  const auto before = std::signal(SIGINT, SIG_IGN);
  {
    const Host host;
    const Hosted hosted(host);
    catch_stop_signals();
    catch_closed_pipes();
  }
  EXPECT_EQ(std::signal(SIGINT, before), SIG_IGN);
}

}  // namespace
}  // namespace quadgate::apps
