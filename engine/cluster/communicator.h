#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster/messenger.h"
#include "engine/cluster/transport.h"

namespace quadgate::cluster {

class Job;
class RecordGather;

/// The run on several ranks has failed, here or elsewhere. One rank has said so to the user.
class Failure : public Error {
 public:
  using Error::Error;
};

struct Options {
  /// How long a rank may not be heard, whatever it computes, before it counts as dead.
  std::chrono::milliseconds timeout{10'000};
  /// How often a rank is to be heard.
  std::chrono::milliseconds heartbeat{1'000};
  /// How long a failed run may take to end.
  std::chrono::milliseconds grace{2'000};
  std::string host{};  ///< the name of this rank's machine
  /// One rank of a failed run calls it, with the line for the user: which rank, and what. It comes
  /// from the communicating thread.
  std::function<void(std::string_view line)> on_failure{};
  /// Ends the process at once, with exit code 1. Each rank calls it, from a thread of its own, if
  /// it still runs when the grace is over.
  std::function<void()> end_process{};
};

/// Owns the transport of a run and the one thread that uses it.
///
/// The calls are collective: every rank makes the same ones in the same order, each from one
/// thread, and they return when this rank's part is done. They throw Failure once the run has
/// failed.
class Communicator {
 public:
  /// Null is a run of one rank, which needs no thread. Else this is collective, too.
  explicit Communicator(std::unique_ptr<Transport> transport, Options options = {});
  /// Waits until all ranks are here, unless the run has failed.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const noexcept;
  int world_size() const noexcept;

  /// Records of one size: `mine` of every rank, in rank order, becomes `all`.
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all);
  /// Records of any size, of every rank. It allocates.
  std::vector<std::vector<std::byte>> all_gather_any(std::span<const std::byte> mine);
  /// The same on rank 0; none on others.
  std::vector<std::vector<std::byte>> gather_any(std::span<const std::byte> mine);

  /// What this rank has sent in the calls that are over.
  Traffic traffic() const noexcept;

  /// Says that this rank failed, in one line of text, so that one rank reports it. Returns when one
  /// has, or the grace is over. Any thread may call it; a call of another that is waiting throws.
  void fail(std::string_view text) noexcept;

  /// Runs this rank's part of a call on the communicating thread. Waits until it is over.
  void run(Job& job);

 private:
  class Thread;
  /// The size of every rank's record.
  std::vector<std::uint64_t> sizes_of(std::span<const std::byte> record);

  std::unique_ptr<Transport> transport_;
  std::unique_ptr<RecordGather> records_;
  std::unique_ptr<Thread> thread_;  // of two ranks or more
};

}  // namespace quadgate::cluster
