// Sizes around a piece: what is sent comes whole, in order, and is counted. No tolerance.

#include "engine/cluster/messenger.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/in_process_transport.h"

namespace quadgate::cluster {
namespace {

std::vector<std::byte> message(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

class MessengerTest : public ::testing::Test {
 protected:
  void expect_done(int& pending) {
    while (first_.poll() || second_.poll()) {
    }
    EXPECT_EQ(pending, 0);
  }

  testing::InProcessNetwork network_{2};
  std::unique_ptr<Transport> transports_[2] = {network_.transport(0), network_.transport(1)};
  Messenger first_{*transports_[0]};
  Messenger second_{*transports_[1]};
};

TEST_F(MessengerTest, PiecesMakeAWhole) {
  constexpr std::size_t kPiece = Messenger::kPiece;
  for (const std::size_t size : {std::size_t{1}, kPiece - 1, kPiece, kPiece + 1, 5 * kPiece}) {
    const std::vector<std::byte> sent = message(size);
    std::vector<std::byte> found(size);
    int pending = 0;
    second_.receive(0, MessageKind::large, 3, found, pending);
    first_.send(1, MessageKind::large, 3, sent, pending);
    EXPECT_EQ(pending, 2 * static_cast<int>((size + kPiece - 1) / kPiece));
    EXPECT_FALSE(second_.take_heard(0));
    expect_done(pending);
    EXPECT_EQ(found, sent);
    EXPECT_TRUE(second_.take_heard(0));
    EXPECT_FALSE(first_.take_heard(1));
  }
}

TEST_F(MessengerTest, StreamsAndKindsDoNotMix) {
  const std::vector<std::byte> sent = message(3);
  std::vector<std::byte> record(1);
  std::vector<std::byte> stream0(1);
  std::vector<std::byte> stream1(1);
  int pending = 0;
  first_.send(1, MessageKind::large, 0, std::span(sent).subspan(0, 1), pending);
  first_.send(1, MessageKind::large, 1, std::span(sent).subspan(1, 1), pending);
  first_.send(1, MessageKind::record, 0, std::span(sent).subspan(2, 1), pending);
  second_.receive(0, MessageKind::record, 0, record, pending);
  second_.receive(0, MessageKind::large, 1, stream1, pending);
  second_.receive(0, MessageKind::large, 0, stream0, pending);
  expect_done(pending);
  EXPECT_EQ(stream0[0], sent[0]);
  EXPECT_EQ(stream1[0], sent[1]);
  EXPECT_EQ(record[0], sent[2]);
}

TEST_F(MessengerTest, CountsWhatIsSentButNotHeartbeats) {
  const std::vector<std::byte> sent = message(Messenger::kPiece + 5);
  const std::vector<std::span<const std::byte>> arrays{sent, std::span(sent).first(7)};
  int pending = 0;
  first_.send(1, MessageKind::large, 0, arrays, pending);
  first_.send(1, MessageKind::large, 0, std::span<const std::byte>(), pending);
  first_.send(1, MessageKind::record, 0, std::span(sent).first(2), pending);
  first_.send(1, MessageKind::control, 0, std::span(sent).first(9), pending);
  EXPECT_EQ(first_.traffic().bytes, Messenger::kPiece + 12);
  EXPECT_EQ(first_.traffic().messages, 1);
  EXPECT_EQ(first_.traffic().small_bytes, 2);
  EXPECT_EQ(first_.traffic().small_messages, 1);
  EXPECT_EQ(second_.traffic().bytes, 0);
  expect_done(pending);
}

}  // namespace
}  // namespace quadgate::cluster
