#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/cluster/transport.h"

namespace quadgate::cluster {

/// What one rank has sent to others. Heartbeats do not count.
struct Traffic {
  std::int64_t bytes = 0;           ///< of gradients and weights
  std::int64_t messages = 0;        ///< that these went in, of any size
  std::int64_t small_bytes = 0;     ///< of all else
  std::int64_t small_messages = 0;  ///< that these went in
};

/// What a message is for. Messages of a kind from one rank come in order.
enum class MessageKind : std::uint8_t { control, record, large };

/// Sends and receives whole messages over a transport, which sees them in pieces. Open MPI sends up
/// to 64 KiB over TCP without asking the receiver, header and all, so that pieces go both ways at
/// once; larger ones take turns, and leave a third of a link of 1 Gbit/s unused.
class Messenger {
 public:
  static constexpr std::size_t kPiece = std::size_t{60} << 10U;

  /// `transport` must outlive it.
  explicit Messenger(Transport& transport)
      : transport_(transport), heard_(static_cast<std::size_t>(transport.world_size())) {
    add_requests(256);
  }

  int rank() const noexcept { return transport_.rank(); }
  int world_size() const noexcept { return transport_.world_size(); }

  /// Begins to send to `rank`. Adds to `pending` the pieces that are under way, and poll() takes
  /// those off that are done. The memory and `pending` stay until then. An empty message is none.
  /// A stream, 0 or more, keeps apart what may overtake. Throws Error.
  void send(int rank, MessageKind kind, int stream, std::span<const std::byte> bytes,
            int& pending) {
    send(rank, kind, stream, {&bytes, 1}, pending);
  }
  /// One message of several arrays, which `rank` receives one by one.
  void send(int rank, MessageKind kind, int stream,
            std::span<const std::span<const std::byte>> arrays, int& pending);
  /// Begins to receive a message, or one of its arrays, from `rank`, likewise.
  void receive(int rank, MessageKind kind, int stream, std::span<std::byte> bytes, int& pending);
  /// Moves what is under way, without waiting. Returns whether any piece is done. Throws Error.
  bool poll();

  /// Whether any message is under way that is not a notice.
  bool is_moving() const noexcept { return moving_ > 0; }
  /// Whether anything has come from `rank` since it was asked for the last time.
  bool take_heard(int rank) noexcept;

  const Traffic& traffic() const noexcept { return traffic_; }

 private:
  struct Request {
    int* pending = nullptr;
    int source = -1;  // of a receive
    bool is_notice = false;
  };

  void add_requests(std::size_t count);
  int take_request(Request request);

  Transport& transport_;
  std::vector<Request> requests_;
  std::vector<int> free_;  // requests
  std::vector<int> done_;
  std::vector<bool> heard_;  // of each rank
  int moving_ = 0;           // pieces of other messages than notices
  Traffic traffic_;
};

}  // namespace quadgate::cluster
