#pragma once

#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "engine/threads/arena.h"

namespace long_memory {

/// How much of the derivative of a network's answer y, after the last step, reaches the state k
/// steps before, k = 1, 2, ...: the logarithm (to base 10) of the norm of dy/d(state), relative to
/// that of dy/dh at the last step, which is the head's weight. A mean over sequences.
struct GradientReach {
  std::vector<double> state;  ///< h, of an LSTM h and c together
  std::vector<double> h;
  std::vector<double> c;  ///< of an LSTM; else empty
};

/// For a network of one layer and one output, over sequences of one length, from their first step
/// (k = their length) on; the first state is zeros. Since the gradient is taken back step by step
/// and scaled to norm 1 after each, it cannot underflow.
GradientReach gradient_reach(const quadgate::ModelConfig& config,
                             const quadgate::Parameters& parameters, const quadgate::Batch& batch,
                             quadgate::Arena& arena);

}  // namespace long_memory
