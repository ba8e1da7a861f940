#include "engine/native/layer_weights.h"

#include <algorithm>
#include <cstddef>

namespace quadgate::native {

LayerWeights::LayerWeights(const CellKernels& cell, const RecurrentConfig& config,
                           const LayerPlan& plan, const Parameters& parameters)
    : panels_{cell, config.hidden_size},
      layer_(plan.layer),
      direction_(plan.reverse ? 1 : 0),
      has_bias_(config.bias),
      bias_(floats(panels_.count(), cell.width())),
      dropout_(config.weight_dropout, plan.isa),
      dropped_hh_(dropout_.is_on()
                      ? floats(num_gates(config.cell) * config.hidden_size, config.h_size())
                      : 0) {
  ih_ = {parameters,
         parameters.slice(plan.parameter("weight_ih")),
         {.parts = plan.input_parts,
          .rows = panels_.rows_of(cell.ih),
          .forward_width = cell.ih.count() * cell.units,
          .backward_width = plan.input_gradient && !plan.forward_only ? cell.width() : 0,
          .kernels = cell.matrix}};
  hh_ = {parameters,
         parameters.slice(plan.parameter("weight_hh")),
         {.rows = panels_.rows_of(cell.hh),
          .forward_width = cell.hh.count() * cell.units,
          .backward_width = plan.forward_only ? 0 : cell.width(),
          .kernels = cell.matrix}};
  if (!has_bias_) return;
  const auto bias = [&](const char* name) -> Bias {
    const auto& slice = parameters.slice(plan.parameter(name));
    return {parameters.address(slice), slice.range()};
  };
  bias_ih_ = bias("bias_ih");
  bias_hh_ = bias("bias_hh");
}

void LayerWeights::add_input_pack_tasks(std::vector<PackTask>& tasks) {
  ih_.add_pack_tasks(tasks);
  if (has_bias_) tasks.push_back({{bias_ih_.range, bias_hh_.range}, [this] { pack_bias(); }});
}

void LayerWeights::add_recurrent_pack_tasks(std::vector<PackTask>& tasks) {
  if (dropout_.is_on()) {
    for (std::int64_t piece = 0; piece < hh_.pieces(); ++piece) {
      tasks.push_back({hh_.parameters(piece), [] {}});
    }
  } else {
    hh_.add_pack_tasks(tasks);
  }
}

void LayerWeights::pack_recurrent(std::int64_t piece, const DropoutKey* dropout) {
  if (dropout == nullptr) return hh_.pack(piece, hh_.values());
  const std::int64_t columns = hh_.columns();
  hh_.for_each_row(piece, [&](std::int64_t row) {
    drop(*dropout, row, 0, {hh_.values() + row * columns, static_cast<std::size_t>(columns)},
         dropped_hh_.data() + row * columns);
  });
  hh_.pack(piece, dropped_hh_.data());
}

void LayerWeights::pack_bias() {
  const CellKernels& cell = panels_.cell;
  std::ranges::fill(bias_.span(), 0.0F);
  const auto add = [&](const CellKernels::Slots& slots, const float* bias) {
    for (std::int64_t unit = 0; unit < panels_.hidden_size; ++unit) {
      float* to = bias_.data() + unit / cell.units * cell.width() + unit % cell.units +
                  slots.first * cell.units;
      for (const std::int64_t gate : slots.gates) {
        *to += bias[gate * panels_.hidden_size + unit];
        to += cell.units;
      }
    }
  };
  add(cell.ih, *bias_ih_.values);
  add(cell.hh, *bias_hh_.values);
}

}  // namespace quadgate::native
