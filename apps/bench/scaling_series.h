#pragma once

#include <memory>
#include <vector>

#include "apps/bench/scaling.h"
#include "apps/bench/step_shape.h"
#include "apps/bench/torch_peer.h"
#include "engine/cluster/communicator.h"
#include "engine/threads/arena.h"

namespace quadgate::apps {

/// One number of ranks and threads: what it works on, its samples so far, and PyTorch, if that is
/// compared with.
struct Series {
  ScalingPoint point;
  StepShape shape;
  std::vector<ScalingSample> samples{};
  std::unique_ptr<TorchPeer> torch{};
};

/// Adds one more repeat of about `seconds` of steps: a model of its own, so that one that lies
/// badly in memory is one of many. On several ranks, which `ranks` are, it is collective.
void measure(Series& series, double seconds, Pinning pinning,
             cluster::Communicator* ranks = nullptr);

/// Prints the last repeat.
void show(const Series& series, bool with_ranks, int repeat, int repeats);

}  // namespace quadgate::apps
