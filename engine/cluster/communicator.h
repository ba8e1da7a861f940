#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/cluster/messenger.h"
#include "engine/cluster/options.h"
#include "engine/cluster/transport.h"

namespace quadgate::cluster {

class Job;
class ProgressThread;
class RecordGather;

/// Owns the one thread that has the transport of a run.
///
/// The calls are collective: every rank makes the same ones in the same order, each from one
/// thread, and they return when this rank's part is done. They throw Failure once the run has
/// failed.
class Communicator {
 public:
  /// A run of one rank, without a network and a thread.
  Communicator();
  /// Collective. The thread makes the transport, and ends it; null is a run of one rank. Throws
  /// what `make` throws.
  explicit Communicator(const std::function<std::unique_ptr<Transport>()>& make,
                        Options options = {});
  /// The first `ranks` ranks of `all`, for them alone, as if there were no others. `all` outlives
  /// it and stands still while it is in a call; the others may wait in a call of `all`. Throws
  /// InvalidArgument unless this rank is one of them.
  Communicator(Communicator& all, int ranks);
  /// Waits until all ranks are here, unless the run has failed. While an exception goes through its
  /// owner, this rank fails.
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
  /// How long any caller has waited in calls.
  double waited_seconds() const noexcept;

  /// Says that this rank failed, in one line of text, so that one rank reports it. Returns when one
  /// has, or the grace is over. Any thread may call it; a call of another that is waiting throws.
  void fail(std::string_view text) noexcept;

  /// Runs this rank's part of a call on the communicating thread, once those of the calls before
  /// are over. Waits until it is.
  void run(Job& job);
  /// Begins it, or lets it follow one that is under way; waits where two are. The job stays until
  /// end() has returned or thrown.
  void begin(Job& job);
  /// Waits until `is_over()`, which takes note of what the jobs have done, or until all are over.
  /// Any thread may call it.
  void wait(const std::function<bool()>& is_over);
  /// Waits until all jobs are over.
  void end();
  /// The job may have more to do. Any thread may call it.
  void nudge();

 private:
  /// The size of every rank's record.
  std::vector<std::uint64_t> sizes_of(std::span<const std::byte> record);

  std::shared_ptr<ProgressThread> thread_;  // if there is a network
  int world_size_ = 1;
  bool is_whole_ = true;  // its calls are of all ranks that the thread knows
  std::unique_ptr<RecordGather> records_;
};

}  // namespace quadgate::cluster
