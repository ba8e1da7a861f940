#include "engine/onednn/weights.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace quadgate::onednn {

Weights::Weights(const RecurrentConfig& config, const native::LayerPlan& plan,
                 Primitives& primitives, const Parameters& parameters)
    : primitives_(primitives),
      cell_(config.cell),
      hidden_size_(config.hidden_size),
      layer_(plan.layer),
      direction_(plan.reverse ? 1 : 0),
      packs_backward_(!plan.forward_only),
      dropout_(config.weight_dropout, plan.isa),
      ih_(matrix("weight_ih", plan, parameters, {Weight::forward_ih, Weight::backward_ih})),
      hh_(matrix("weight_hh", plan, parameters, {Weight::forward_hh, Weight::backward_hh})),
      bias_(floats(bias_rows(cell_), hidden_size_)) {
  for (const Matrix* one : {&ih_, &hh_}) {
    for (const Weight weight : one->packed) {
      const bool is_used = weight == one->packed.front() || packs_backward_;
      const bool changes = one == &hh_ && drops_recurrent();
      if (!is_used || (primitives.reads_torch(weight) && !changes)) continue;
      copy(weight) = Buffer(primitives.packed_size(weight));
    }
  }
  if (drops_recurrent()) dropped_hh_ = Buffer(hh_.slice.size);
  if (!config.bias) return;
  biases_ = {parameters.slice(plan.parameter("bias_ih")),
             parameters.slice(plan.parameter("bias_hh"))};
  bias_ih_ = parameters.value(biases_[0]).data();
  bias_hh_ = parameters.value(biases_[1]).data();
}

Weights::Matrix Weights::matrix(const std::string& name, const native::LayerPlan& plan,
                                const Parameters& parameters, std::array<Weight, 2> packed) const {
  const ParameterSlice& slice = parameters.slice(plan.parameter(name));
  return {.slice = slice,
          .values = parameters.value(slice).data(),
          .columns = slice.shape[1],
          .packed = packed};
}

void Weights::add_input_pack_tasks(std::vector<PackTask>& tasks) {
  add_pack_tasks(ih_, tasks);
  if (biases_.empty()) return;
  tasks.push_back({{biases_[0].range(), biases_[1].range()}, [this] { pack_bias(); }});
}

void Weights::add_recurrent_pack_tasks(std::vector<PackTask>& tasks) { add_pack_tasks(hh_, tasks); }

/// A task for each gate.
void Weights::add_pack_tasks(const Matrix& matrix, std::vector<PackTask>& tasks) {
  const bool later = &matrix == &hh_ && drops_recurrent();
  for (std::int64_t gate = 0; gate < gates(); ++gate) {
    const std::int64_t first = row_of(gate) * matrix.columns;
    tasks.push_back({{{matrix.slice.offset + static_cast<std::size_t>(first),
                       static_cast<std::size_t>(hidden_size_ * matrix.columns)}},
                     [this, &matrix, gate, first, later] {
                       if (!later) pack(matrix, gate, matrix.values + first);
                     }});
  }
}

void Weights::pack_recurrent(std::int64_t gate, const DropoutKey* dropout) {
  const std::int64_t first = row_of(gate);
  const std::int64_t columns = hh_.columns;
  if (dropout == nullptr) return pack(hh_, gate, hh_.values + first * columns);
  for (std::int64_t row = first; row < first + hidden_size_; ++row) {
    drop(*dropout, row, 0, {hh_.values + row * columns, static_cast<std::size_t>(columns)},
         dropped_hh_.data() + row * columns);
  }
  pack(hh_, gate, dropped_hh_.data() + first * columns);
}

void Weights::pack(const Matrix& matrix, std::int64_t gate, const float* values) {
  for (const Weight weight : matrix.packed) {
    if (copy(weight).size() > 0) primitives_.pack(weight, gate, values, copy(weight).data());
  }
}

/// The sum of both biases. Of a GRU's gate n they stay apart.
void Weights::pack_bias() {
  const bool gru = cell_ == Cell::gru;
  for (std::int64_t gate = 0; gate < gates(); ++gate) {
    const float* const ih = bias_ih_ + row_of(gate);
    const float* const hh = bias_hh_ + row_of(gate);
    float* const to = bias_.data() + gate * hidden_size_;
    const bool apart = gru && gate + 1 == gates();
    for (std::int64_t i = 0; i < hidden_size_; ++i) to[i] = apart ? ih[i] : ih[i] + hh[i];
    if (apart) std::copy_n(hh, hidden_size_, to + hidden_size_);
  }
}

const float* Weights::packed(Weight weight) const noexcept {
  const Buffer& copy = copies_[static_cast<std::size_t>(weight)];
  if (copy.size() > 0) return copy.data();
  return weight == Weight::forward_ih || weight == Weight::backward_ih ? ih_.values : hh_.values;
}

}  // namespace quadgate::onednn
