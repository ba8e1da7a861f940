#pragma once

#include <cstdint>
#include <string>

#include "engine/model/config.h"
#include "engine/model/network_options.h"

namespace quadgate::apps {

/// The training step that the benchmarks time: an LSTM, a linear head to 10 classes at every step,
/// cross-entropy, backward, clip 1.0, Adam. With a vocabulary it is a language model's: tokens, an
/// embedding of input_size features in front, and a class for each token. Or its forward pass
/// alone, up to the head's outputs.
struct StepShape {
  std::int64_t seq_len = 0;
  std::int64_t batch = 0;
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  bool bidirectional = false;
  Cell cell = Cell::lstm;
  std::int64_t proj_size = 0;
  std::int64_t vocabulary = 0;  ///< tokens of a language model; 0: features
  std::string lengths;          ///< "LO:HI", drawn evenly; empty: every sequence has seq_len steps
  NetworkOptions options = {};  ///< forward_only: the forward pass alone
};

}  // namespace quadgate::apps
