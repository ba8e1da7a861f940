#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

#include "engine/onednn/layer_shape.h"

namespace quadgate::onednn {

/// oneDNN's engine for the CPU.
const dnnl::engine& cpu();

/// A weight of `gates` gates in a layout.
dnnl::memory::desc weight_desc(std::int64_t columns, std::int64_t gates, std::int64_t hidden_size,
                               dnnl::memory::data_type type, dnnl::memory::format_tag tag);

/// What the primitives of all numbers of steps have in common.
struct WeightDescs {
  dnnl::memory::desc forward_ih, forward_hh, backward_ih, backward_hh, d_ih, d_hh;
};

/// The two primitives for a number of steps, and how large their arrays are.
struct CellPair {
  dnnl::memory::desc x, y, h, c, bias, dx, dy;  // derivatives of states are as c
  WeightDescs weights{};
  dnnl::memory::desc workspace{}, scratchpad{}, backward_scratchpad{};
  dnnl::primitive forward{}, backward{};
};

/// Weights in whatever layouts oneDNN likes.
WeightDescs any_weights(const LayerShape& shape);

/// The primitives for `steps` steps, with the weights in these layouts. Throws dnnl::error.
CellPair make_pair(const LayerShape& shape, std::int64_t steps, const WeightDescs& weights);

}  // namespace quadgate::onednn
