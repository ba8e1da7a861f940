#pragma once

#include <functional>
#include <vector>

#include "engine/model/parameters.h"

namespace quadgate {

/// A part of the parameters, and what copies it to where the kernels read it. Tasks are planned
/// once, and they run in any order on any cores. Each parameter is in one of them, but the rows of
/// a sparse embedding, which are read where they are.
struct PackTask {
  std::vector<FlatRange> parameters;
  std::function<void()> run;  ///< copies nothing where the kernels read the parameters themselves
};

}  // namespace quadgate
