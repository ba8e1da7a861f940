#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/gradient.h"
#include "engine/model/parameters.h"
#include "engine/threads/arena.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate {

/// The norm of a gradient, to the same bits on every CPU and at every number of threads. It reads
/// the gradient once more. A pass adds up squares while they are in a core's cache, in tiles that
/// are as wide as the CPU's vectors.
class GradientNorm {
 public:
  /// Of gradients for these parameters. It takes the instruction set that is active now.
  explicit GradientNorm(const Parameters& parameters);

  double of(const Gradient& gradient, Arena& arena);

 private:
  kernels::SumOfSquaresKernel sum_of_squares_;
  std::size_t flat_tiles_;       // behind the sparse rows
  std::vector<double> squares_;  // of each of them, and of the tiles of present rows
};

}  // namespace quadgate
