#pragma once

#include <cstdint>

namespace quadgate {

/// Which random numbers the dropout of a training pass draws.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
};

}  // namespace quadgate
