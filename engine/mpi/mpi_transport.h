#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/transport.h"

struct QuadgateMpi;

namespace quadgate {

/// The ranks that an MPI's launcher started, this process being one of them. A process has one of
/// these in its life, and the thread that makes it uses and destroys it.
class MpiTransport final : public cluster::Transport {
 public:
  /// A tag is 0 to this.
  static constexpr int kLastTag = 32767;

  /// Begins MPI. `plugin` is libquadgate_mpi_....so for the launcher's MPI. Throws FileError,
  /// naming it, if it cannot be loaded, and cluster::Error if MPI cannot begin.
  explicit MpiTransport(const std::filesystem::path& plugin);
  /// Ends MPI: waits until all ranks do, unless the run was aborted.
  ~MpiTransport() override;
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;

  int rank() const noexcept override { return rank_; }
  int world_size() const noexcept override { return world_size_; }
  void isend(int request, int rank, int tag, std::span<const std::byte> bytes) override;
  void irecv(int request, int rank, int tag, std::span<std::byte> bytes) override;
  void test(std::vector<int>& done) override;
  void abort(int exit_code) noexcept override;

  /// "Open MPI v4.1.4", "MPICH Version: 4.0.2".
  std::string version() const;

 private:
  const QuadgateMpi& mpi_;
  int rank_;
  int world_size_;
  std::size_t under_way_ = 0;
  bool aborted_ = false;
};

}  // namespace quadgate
