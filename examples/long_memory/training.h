#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/model/config.h"
#include "engine/threads/arena.h"
#include "engine/training/network.h"
#include "problems.h"

namespace long_memory {

/// What is compared: a cell, and how an LSTM's forget gates begin.
struct Model {
  std::string name;
  quadgate::Cell cell;
  std::optional<float> forget_bias{};  ///< empty: PyTorch's initialization
};

/// Initializes the weights of a network of `model`.
void initialize(const Model& model, quadgate::Network& network, std::uint64_t seed);

/// How long and how a network is trained.
struct Budget {
  std::int64_t batch_size = 0;
  std::int64_t updates = 0;  ///< at most
  std::int64_t check_every =
      0;          ///< updates; training ends when a check is right kSolved of the time
  double lr = 0;  ///< Adam, with clip_norm 1
};
inline constexpr double kSolved = 0.95;
/// An answer to the adding problem is right within this (as in Hochreiter and Schmidhuber, 1997).
inline constexpr float kTolerance = 0.04F;

/// How right a network is, on new sequences.
struct Score {
  double loss = 0;      ///< mean squared error, or the mean cross-entropy of the symbols to recall
  double accuracy = 0;  ///< share of the sequences (adding) or symbols to recall (copy)
};
/// Over `batches` batches of the stream, from number `first` on.
Score score(quadgate::Network& network, const BatchStream& stream, std::uint32_t first,
            std::uint32_t batches);

struct Outcome {
  Score score;
  std::int64_t updates = 0;  ///< that it took
};
/// Trains a network that has been initialized, each batch a new one, and scores it.
Outcome train(quadgate::Network& network, const BatchStream& stream, const Budget& budget);

}  // namespace long_memory
