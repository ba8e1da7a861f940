#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace quadgate {

/// Elements [begin, begin + size) of the parameters' flat arrays.
struct FlatRange {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// A part of the parameters, and what copies it to where the kernels read it. Tasks are planned
/// once, no two have a parameter in common, and they run in any order on any cores.
struct PackTask {
  std::vector<FlatRange> parameters;
  std::function<void()> run;
};

}  // namespace quadgate
