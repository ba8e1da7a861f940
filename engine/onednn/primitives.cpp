#include "engine/onednn/primitives.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "engine/base/error.h"
#include "engine/onednn/cell_pair.h"

namespace quadgate::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

std::size_t floats_of(const memory::desc& desc) {
  return (desc.get_size() + sizeof(float) - 1) / sizeof(float);
}

/// Elements between the rows [k] and [k + 1] of a plain [1, 1, K, gates, H] array; any other layout
/// would be a oneDNN that we do not know.
std::int64_t plain_stride(const memory::desc& desc) {
  const auto strides = desc.get_strides();
  if (desc.get_inner_nblks() != 0 || strides[4] != 1 || strides[3] != desc.get_dims()[4]) {
    throw Error("oneDNN: weight gradients of a recurrent layer are not in the plain layout ldigo");
  }
  return strides[2];
}

/// A primitive with its arguments. `list` is what the C interface takes; the C++ one would build it
/// anew at each call.
class Call {
 public:
  Call(dnnl::primitive primitive, const std::vector<std::pair<int, memory::desc>>& arguments)
      : primitive_(std::move(primitive)), stream_(cpu()) {
    for (const auto& [name, desc] : arguments) {
      memories_.emplace_back(desc, cpu(), nullptr);
      list_.push_back({name, memories_.back().get()});
    }
  }

  /// Runs it on arrays in the order of the arguments.
  void run(std::span<const void* const> arrays) {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      check(dnnl_memory_set_data_handle(list_[i].memory, const_cast<void*>(arrays[i])));
    }
    check(dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(list_.size()),
                                 list_.data()));
  }

 private:
  static void check(dnnl_status_t status) {
    if (status != dnnl_success) {
      throw Error(
          fmt::format("oneDNN: could not run a recurrent layer ({})", dnnl_status2str(status)));
    }
  }

  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<memory> memories_;
  std::vector<dnnl_exec_arg_t> list_;
};

/// oneDNN's exceptions, as ours.
template <typename Function>
auto translate(const LayerShape& shape, Function&& function) {
  try {
    return function();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented && shape.bf16()) {
      throw InvalidArgument("backend: expected native for bf16 on this CPU, found onednn");
    }
    throw Error(fmt::format("oneDNN: {} ({})", error.message, dnnl_status2str(error.status)));
  }
}

}  // namespace

struct Primitives::Impl {
  explicit Impl(const LayerShape& its_shape, std::int64_t slots)
      : shape(its_shape), gates(static_cast<std::int64_t>(gate_order(shape.cell).size())) {
    steps.push_back(shape.seq_len);
    for (auto power =
             static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(shape.seq_len)));
         power > 0; power /= 2) {
      if (power < shape.seq_len) steps.push_back(power);
    }
    for (const std::int64_t count : steps) {
      pairs.push_back(
          make_pair(shape, count, pairs.empty() ? any_weights(shape) : pairs.front().weights));
    }
    layout = {plain_stride(weights().d_ih), plain_stride(weights().d_hh)};
    const bool lstm = shape.cell == Cell::lstm;
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      for (const CellPair& p : pairs) add_calls(p, lstm);
    }
    add_packs();
  }

  const WeightDescs& weights() const noexcept { return pairs.front().weights; }
  const memory::desc& desc(Weight weight) const noexcept {
    switch (weight) {
      case Weight::forward_ih:
        return weights().forward_ih;
      case Weight::forward_hh:
        return weights().forward_hh;
      case Weight::backward_ih:
        return weights().backward_ih;
      case Weight::backward_hh:
        break;
    }
    return weights().backward_hh;
  }

  /// Their order is that of `forward` and `backward` below.
  void add_calls(const CellPair& p, bool lstm) {
    std::vector<std::pair<int, memory::desc>> arguments{
        {DNNL_ARG_SRC_LAYER, p.x},
        {DNNL_ARG_SRC_ITER, p.h},
        {DNNL_ARG_DST_LAYER, p.y},
        {DNNL_ARG_DST_ITER, p.h},
        {DNNL_ARG_BIAS, p.bias},
        {DNNL_ARG_WORKSPACE, p.workspace},
        {DNNL_ARG_WEIGHTS_LAYER, p.weights.forward_ih},
        {DNNL_ARG_WEIGHTS_ITER, p.weights.forward_hh},
        {DNNL_ARG_SCRATCHPAD, p.scratchpad}};
    const std::size_t common = 6;
    const std::vector<std::pair<int, memory::desc>> cells{{DNNL_ARG_SRC_ITER_C, p.c},
                                                          {DNNL_ARG_DST_ITER_C, p.c}};
    auto backward = arguments;
    if (lstm) arguments.insert(arguments.end(), cells.begin(), cells.end());
    forwards.emplace_back(p.forward, arguments);
    backward.resize(common);
    backward.insert(backward.end(), {{DNNL_ARG_WEIGHTS_LAYER, p.weights.backward_ih},
                                     {DNNL_ARG_WEIGHTS_ITER, p.weights.backward_hh},
                                     {DNNL_ARG_SCRATCHPAD, p.backward_scratchpad},
                                     {DNNL_ARG_DIFF_SRC_LAYER, p.dx},
                                     {DNNL_ARG_DIFF_SRC_ITER, p.c},
                                     {DNNL_ARG_DIFF_DST_LAYER, p.dy},
                                     {DNNL_ARG_DIFF_DST_ITER, p.c},
                                     {DNNL_ARG_DIFF_WEIGHTS_LAYER, p.weights.d_ih},
                                     {DNNL_ARG_DIFF_WEIGHTS_ITER, p.weights.d_hh},
                                     {DNNL_ARG_DIFF_BIAS, p.bias}});
    if (lstm) {
      backward.insert(backward.end(), cells.begin(), cells.end());
      backward.insert(backward.end(),
                      {{DNNL_ARG_DIFF_SRC_ITER_C, p.c}, {DNNL_ARG_DIFF_DST_ITER_C, p.c}});
    }
    backwards.emplace_back(p.backward, backward);
  }

  /// A gate of a weight is a part of it, so that it can be packed by itself.
  void add_packs() {
    for (const auto weight :
         {Weight::forward_ih, Weight::forward_hh, Weight::backward_ih, Weight::backward_hh}) {
      const memory::desc& whole = desc(weight);
      const memory::dims dims{1, 1, whole.get_dims()[2], 1, shape.hidden_size};
      const memory::desc from{dims, Type::f32, Tag::ldgoi};
      for (std::int64_t gate = 0; gate < gates; ++gate) {
        const memory::desc to = whole.submemory_desc(dims, {0, 0, 0, gate, 0});
        packs.emplace_back(
            dnnl::reorder(dnnl::reorder::primitive_desc(cpu(), from, cpu(), to)),
            std::vector<std::pair<int, memory::desc>>{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
      }
    }
  }

  std::size_t call(std::int64_t slot, std::size_t length) const noexcept {
    return static_cast<std::size_t>(slot) * pairs.size() + length;
  }

  LayerShape shape;
  std::int64_t gates;
  std::vector<std::int64_t> steps;
  std::vector<CellPair> pairs;  // of each number of steps
  GradientLayout layout;
  std::vector<Call> forwards, backwards;  // [slots, numbers of steps]
  std::vector<Call> packs;                // [weights, gates]
};

Primitives::Primitives(const LayerShape& shape, std::int64_t slots)
    : impl_(translate(shape, [&] { return std::make_unique<Impl>(shape, slots); })) {}
Primitives::~Primitives() = default;

std::span<const std::int64_t> Primitives::steps() const noexcept { return impl_->steps; }
GradientLayout Primitives::gradient_layout() const noexcept { return impl_->layout; }

std::size_t Primitives::workspace_size(std::size_t length) const noexcept {
  return floats_of(impl_->pairs[length].workspace);
}

std::size_t Primitives::scratchpad_size() const noexcept {
  std::size_t most = 0;
  for (const CellPair& pair : impl_->pairs) {
    most = std::max({most, floats_of(pair.scratchpad), floats_of(pair.backward_scratchpad)});
  }
  return most;
}

std::size_t Primitives::packed_size(Weight weight) const noexcept {
  return floats_of(impl_->desc(weight));
}

bool Primitives::reads_torch(Weight weight) const noexcept {
  const memory::desc& desc = impl_->desc(weight);
  return impl_->shape.cell != Cell::gru &&
         desc == weight_desc(desc.get_dims()[2], impl_->gates, impl_->shape.hidden_size, Type::f32,
                             Tag::ldgoi);
}

// NOLINTNEXTLINE(readability-non-const-parameter): oneDNN writes there
void Primitives::pack(Weight weight, std::int64_t gate, const float* values, float* packed) {
  const auto index = static_cast<std::int64_t>(weight) * impl_->gates + gate;
  impl_->packs[static_cast<std::size_t>(index)].run(std::array<const void*, 2>{values, packed});
}

void Primitives::forward(std::int64_t slot, std::size_t length, const PieceArrays& a) {
  const std::array<const void*, 11> arrays{a.x,          a.h_first,   a.y,         a.h_last,
                                           a.bias,       a.workspace, a.weight_ih, a.weight_hh,
                                           a.scratchpad, a.c_first,   a.c_last};
  impl_->forwards[impl_->call(slot, length)].run(arrays);
}

void Primitives::backward(std::int64_t slot, std::size_t length, const PieceArrays& a,
                          const PieceDerivatives& d) {
  const std::array<const void*, 20> arrays{
      a.x,         a.h_first,    a.y,       a.h_last,   a.bias,     a.workspace, a.weight_ih,
      a.weight_hh, a.scratchpad, d.dx,      d.dh_first, d.dy,       d.dh_last,   d.weight_ih,
      d.weight_hh, d.bias,       a.c_first, a.c_last,   d.dc_first, d.dc_last};
  impl_->backwards[impl_->call(slot, length)].run(arrays);
}

}  // namespace quadgate::onednn
