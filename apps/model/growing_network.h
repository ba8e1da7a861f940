#pragma once

#include <cstdint>
#include <memory>

#include "engine/model/config.h"
#include "engine/threads/arena.h"
#include "engine/training/network.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// How many sequences of at most `longest` steps a network takes at once that does not train:
/// enough for its kernels, and, but for very long ones, no more steps than fit some memory. No
/// output depends on it.
std::int64_t forward_rows(std::int64_t longest);

/// The network of a checkpoint for batches to predict, whose sizes are not known beforehand.
class GrowingNetwork {
 public:
  /// Reads the weights, and plans for so many sequences of at most `longest` steps. With `streams`,
  /// batches have so many rows, whose states are carried on. Throws as Network and
  /// Checkpoint::load_parameters.
  GrowingNetwork(const Checkpoint& checkpoint, ModelConfig config, std::int64_t longest,
                 std::int64_t sequences, int threads, std::int64_t streams = 0);

  /// Such sequences follow: plans anew if they do not fit. The parameters of before end.
  void fit(std::int64_t longest, std::int64_t sequences);
  /// How many of them it takes at once.
  std::int64_t batch_size() const noexcept { return batch_size_; }

  Network& operator*() noexcept { return *network_; }
  Network* operator->() noexcept { return network_.get(); }
  const Network* operator->() const noexcept { return network_.get(); }

 private:
  std::unique_ptr<Network> plan();

  ModelConfig config_;
  std::int64_t streams_;
  std::int64_t seq_len_;
  std::int64_t batch_size_;
  Arena arena_;
  std::unique_ptr<Network> network_;
};

}  // namespace quadgate::apps
