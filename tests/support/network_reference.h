#pragma once

#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/parameters.h"

namespace quadgate::testing {

/// A whole model over one batch, forward and backward in double, without dropout: embedding,
/// normalization, convolution, LSTM, head and mean loss.
struct NetworkReference {
  std::vector<double> outputs;    ///< as Network::predict gives them
  double loss = 0;                ///< the mean over the items
  std::vector<double> gradients;  ///< of the mean loss, laid out as the flat parameters
};

/// Runs the reference with the weights of `parameters`.
NetworkReference network_reference(const ModelConfig& config, const Parameters& parameters,
                                   const Batch& batch);

}  // namespace quadgate::testing
