#pragma once

#include <cstdint>
#include <string>

#include "engine/model/network_options.h"
#include "engine/native/slices.h"
#include "kernels/base/isa.h"

namespace quadgate::native {

/// Which direction of which layer it is, and for what.
struct LayerPlan {
  std::string prefix{};  ///< of its parameters: "rnn." or nothing
  std::string suffix{};  ///< likewise: "_l0" or "_l0_reverse"
  std::int64_t layer = 0;
  bool reverse = false;
  bool input_gradient = true;     ///< whether the layer below wants one
  std::int64_t input_parts = 1;   ///< directions of the layer below
  std::int64_t capacity = 0;      ///< most packed rows
  std::int64_t batch_size = 0;    ///< most sequences
  std::int64_t initial_rows = 0;  ///< before them, see PackedSteps
  std::int64_t cores = 1;         ///< that share the sequences
  Slices slices{};                ///< of the sequences, if the layer wants them
  std::int64_t slots = 0;         ///< likewise: most slices that are on their way at once
  bool forward_only = false;      ///< there is no backward pass
  Precision precision = Precision::f32;
  kernels::Isa isa;

  /// The full name of a parameter: of "weight_ih" "rnn.weight_ih_l0".
  std::string parameter(const std::string& name) const { return prefix + name + suffix; }
};

}  // namespace quadgate::native
