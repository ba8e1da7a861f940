#pragma once

#include <cstdint>

#include "engine/model/config.h"
#include "engine/model/parameters.h"

namespace quadgate {

class Arena;

// Initializations that may follow Parameters::initialize.

/// Makes each gate's block of every weight_hh orthogonal: its columns are orthonormal. It is drawn
/// uniformly from all such blocks, as torch.nn.init.orthogonal_ does (Saxe et al., "Exact solutions
/// to the nonlinear dynamics of learning in deep linear neural networks", 2014). The draw depends
/// on `seed` only. On the cores of `arena`, a gate on each, or on this core alone.
void make_orthogonal(const RecurrentConfig& config, Parameters& parameters, std::uint64_t seed,
                     Arena* arena = nullptr);

/// Sets the forget gates' biases of an LSTM to `value` in bias_ih and to 0 in bias_hh (Jozefowicz
/// et al., "An empirical exploration of recurrent network architectures", 2015, with 1). Throws
/// InvalidArgument unless it is an LSTM with biases.
void set_forget_bias(const RecurrentConfig& config, Parameters& parameters, float value);

}  // namespace quadgate
