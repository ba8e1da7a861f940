#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/cluster/error.h"

namespace quadgate::cluster {

/// Point-to-point messages between the ranks of a run. One thread uses it at a time. Messages of
/// one (source, tag) arrive in order. A receive gives the size that was sent.
class Transport {
 public:
  virtual ~Transport() = default;
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  virtual int rank() const noexcept = 0;
  virtual int world_size() const noexcept = 0;
  /// `request` is a small number that the caller chooses, free at this time; it is done when test()
  /// names it. The memory stays as it is until then. Throws Error.
  virtual void isend(int request, int rank, int tag, std::span<const std::byte> bytes) = 0;
  virtual void irecv(int request, int rank, int tag, std::span<std::byte> bytes) = 0;
  /// Appends the requests that are done since the last call. Does not wait. Throws Error.
  virtual void test(std::vector<int>& done) = 0;
  /// Ends all ranks, as far as it can. Returns.
  virtual void abort(int exit_code) noexcept = 0;
};

}  // namespace quadgate::cluster
