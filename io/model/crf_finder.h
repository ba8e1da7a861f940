#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/model/module_division.h"

namespace quadgate {

/// Takes the tensors of a conditional random field of so many tags out of `entries`, where they
/// have the names of pytorch-crf. Returns them by their names in checkpoints; none without one.
std::map<std::string, const NamedTensor*> take_crf(std::vector<DividedTensors::Entry>& entries,
                                                   std::int64_t tags);

}  // namespace quadgate
