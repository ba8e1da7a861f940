#pragma once

#include <cstdint>
#include <string>

#include "apps/common/memory.h"
#include "apps/train/run_config.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"

namespace quadgate::apps {

/// Bytes of memory that training takes at its peak, an estimate.
struct MemoryNeed {
  double program = 0;  ///< what the process took before
  double weights = 0;  ///< in the layouts of the kernels too, gradients, the optimizer's state, and
                       ///< what is copied to write a checkpoint of them
  double batches = 0;  ///< what a pass keeps of every step of a batch, and batches read ahead
  double unsure = 0;   ///< of that: what may be planned and never written to

  double total() const noexcept { return program + weights + batches; }
};

/// Counts what a network, for sequences of up to `seq_len` steps, and its trainer have planned,
/// once they are made and before the first pass, and adds what the rest of a run will take and what
/// the process had `before`.
MemoryNeed memory_need(const RunConfig& config, const NetworkOptions& options, Dataset& data,
                       Trainer& trainer, std::int64_t seq_len, const Memory& before);

/// What weights alone need, whatever the data, before anything is planned.
MemoryNeed least_memory_need(const RunConfig& config, const ModelConfig& model);

/// Throws InvalidArgument, naming the key that most of it is for, if `need` is surely more than is
/// available.
void expect_room(const MemoryNeed& need, const Memory& memory, const RunConfig& config,
                 const ModelConfig& model, std::int64_t seq_len);

/// "0.21 GB"
std::string bytes_text(double bytes);

}  // namespace quadgate::apps
