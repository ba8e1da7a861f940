#include "engine/onednn/primitives.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "engine/base/error.h"
#include "engine/onednn/pieces.h"

namespace quadgate::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Tag = memory::format_tag;
using Type = memory::data_type;

/// oneDNN's engine for the CPU.
const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// The layout that a primitive has an argument in.
memory::desc desc_of(const dnnl::primitive_desc_base& primitive, int argument) {
  return primitive.query_md(dnnl::query::exec_arg_md, argument);
}

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
  Call(const dnnl::primitive_desc_base& primitive, std::span<const int> arguments)
      : primitive_(primitive.get()), stream_(cpu()) {
    for (const int argument : arguments) {
      memories_.emplace_back(desc_of(primitive, argument), cpu(), nullptr);
      list_.push_back({argument, memories_.back().get()});
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

/// What `forward` and `backward` below have arrays for, in their order.
std::vector<int> forward_arguments(bool lstm) {
  std::vector arguments{DNNL_ARG_SRC_LAYER,     DNNL_ARG_SRC_ITER,     DNNL_ARG_DST_LAYER,
                        DNNL_ARG_DST_ITER,      DNNL_ARG_BIAS,         DNNL_ARG_WORKSPACE,
                        DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_SCRATCHPAD};
  if (lstm) arguments.insert(arguments.end(), {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C});
  return arguments;
}
std::vector<int> backward_arguments(bool lstm) {
  std::vector arguments = forward_arguments(false);
  arguments.insert(arguments.end(),
                   {DNNL_ARG_DIFF_SRC_LAYER, DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_DST_LAYER,
                    DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER,
                    DNNL_ARG_DIFF_BIAS});
  if (!lstm) return arguments;
  arguments.insert(arguments.end(), {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C,
                                     DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_ITER_C});
  return arguments;
}

/// The layouts of the weights: by Primitives::Weight, and of their gradients.
struct WeightDescs {
  std::array<memory::desc, 4> packed;
  memory::desc d_ih{}, d_hh{};
};

/// A weight [gates * H, columns] of PyTorch's in a layout of oneDNN's.
memory::desc weight_desc(const LayerShape& shape, std::int64_t columns, Type type, Tag tag) {
  const auto gates = std::ssize(gate_order(shape.cell));
  return {{1, 1, columns, gates, shape.hidden_size}, type, tag};
}

/// In whatever layouts oneDNN likes.
WeightDescs any_weights(const LayerShape& shape) {
  const auto any = [&](std::int64_t columns, Type type) {
    return weight_desc(shape, columns, type, Tag::any);
  };
  const Type type = shape.bf16() ? Type::bf16 : Type::f32;
  const memory::desc ih = any(shape.input_size, type);
  const memory::desc hh = any(shape.hidden_size, type);
  return {{ih, hh, ih, hh}, any(shape.input_size, Type::f32), any(shape.hidden_size, Type::f32)};
}

/// The two primitives for a number of steps.
struct CellPair {
  dnnl::primitive_desc_base forward, backward;

  WeightDescs weights() const {
    return {{desc_of(forward, DNNL_ARG_WEIGHTS_LAYER), desc_of(forward, DNNL_ARG_WEIGHTS_ITER),
             desc_of(backward, DNNL_ARG_WEIGHTS_LAYER), desc_of(backward, DNNL_ARG_WEIGHTS_ITER)},
            desc_of(backward, DNNL_ARG_DIFF_WEIGHTS_LAYER),
            desc_of(backward, DNNL_ARG_DIFF_WEIGHTS_ITER)};
  }
};

/// With the weights in these layouts. Throws dnnl::error.
CellPair make_pair(const LayerShape& shape, std::int64_t steps, const WeightDescs& w) {
  const Type type = shape.bf16() ? Type::bf16 : Type::f32;
  const auto direction = shape.reverse ? dnnl::rnn_direction::unidirectional_right2left
                                       : dnnl::rnn_direction::unidirectional_left2right;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto rows = [&](std::int64_t width, Type its_type, std::int64_t stride) {
    return memory::desc({steps, shape.rows, width}, its_type,
                        memory::dims{shape.rows * stride, stride, 1});
  };
  const auto x = rows(shape.input_size, type, shape.x_stride());
  const auto dx = rows(shape.input_size, Type::f32, shape.input_size);
  const auto y = rows(shape.hidden_size, type, shape.y_stride());
  const auto dy = rows(shape.hidden_size, Type::f32, shape.y_width);
  const memory::dims state{1, 1, shape.rows, shape.hidden_size};
  const std::int64_t h_size = shape.rows * shape.h_stride();
  const memory::desc h{state, type, memory::dims{h_size, h_size, shape.h_stride(), 1}};
  const memory::desc c{state, Type::f32, Tag::ldnc};
  const memory::desc& dh = c;
  const memory::desc bias{{1, 1, bias_rows(shape.cell), shape.hidden_size}, Type::f32, Tag::ldgo};
  const auto& [forward_ih, forward_hh, backward_ih, backward_hh] = w.packed;
  const auto kind = prop_kind::forward_training;
  switch (shape.cell) {
    case Cell::lstm: {
      const dnnl::lstm_forward::primitive_desc forward(cpu(), kind, direction, x, h, c, forward_ih,
                                                       forward_hh, bias, y, h, c, attributes);
      return {forward, dnnl::lstm_backward::primitive_desc(cpu(), prop_kind::backward, direction, x,
                                                           h, c, backward_ih, backward_hh, bias, y,
                                                           h, c, dx, dh, dh, w.d_ih, w.d_hh, bias,
                                                           dy, dh, dh, forward, attributes)};
    }
    case Cell::gru: {
      const dnnl::lbr_gru_forward::primitive_desc forward(cpu(), kind, direction, x, h, forward_ih,
                                                          forward_hh, bias, y, h, attributes);
      return {forward, dnnl::lbr_gru_backward::primitive_desc(
                           cpu(), prop_kind::backward, direction, x, h, backward_ih, backward_hh,
                           bias, y, h, dx, dh, w.d_ih, w.d_hh, bias, dy, dh, forward, attributes)};
    }
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  const auto activation =
      shape.cell == Cell::rnn_tanh ? dnnl::algorithm::eltwise_tanh : dnnl::algorithm::eltwise_relu;
  const dnnl::vanilla_rnn_forward::primitive_desc forward(cpu(), kind, activation, direction, x, h,
                                                          forward_ih, forward_hh, bias, y, h, 0.0F,
                                                          attributes);
  return {forward,
          dnnl::vanilla_rnn_backward::primitive_desc(
              cpu(), prop_kind::backward, activation, direction, x, h, backward_ih, backward_hh,
              bias, y, h, dx, dh, w.d_ih, w.d_hh, bias, dy, dh, 0.0F, forward, attributes)};
}

}  // namespace

struct Primitives::Impl {
  explicit Impl(const LayerShape& its_shape, std::int64_t slots)
      : shape(its_shape), steps(piece_lengths(shape.seq_len)) {
    weights = any_weights(shape);
    for (const std::int64_t count : steps) {
      pairs.push_back(make_pair(shape, count, weights));
      weights = pairs.front().weights();
    }
    layout = {plain_stride(weights.d_ih), plain_stride(weights.d_hh)};
    const bool lstm = shape.cell == Cell::lstm;
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      for (const auto& [forward, backward] : pairs) {
        forwards.emplace_back(forward, forward_arguments(lstm));
        backwards.emplace_back(backward, backward_arguments(lstm));
      }
    }
    for (const memory::desc& weight : weights.packed) add_packs(weight);
  }

  /// A gate of a weight is a part of it, so that it can be packed by itself.
  void add_packs(const memory::desc& weight) {
    const memory::dims dims{1, 1, weight.get_dims()[2], 1, shape.hidden_size};
    for (std::int64_t gate = 0; gate < gates(); ++gate) {
      packs.emplace_back(
          dnnl::reorder::primitive_desc(cpu(), {dims, Type::f32, Tag::ldgoi}, cpu(),
                                        weight.submemory_desc(dims, {0, 0, 0, gate, 0})),
          std::array{DNNL_ARG_FROM, DNNL_ARG_TO});
    }
  }

  std::int64_t gates() const noexcept { return std::ssize(gate_order(shape.cell)); }
  const memory::desc& desc(Weight weight) const noexcept {
    return weights.packed[static_cast<std::size_t>(weight)];
  }
  std::size_t call(std::int64_t slot, std::size_t length) const noexcept {
    return static_cast<std::size_t>(slot) * pairs.size() + length;
  }

  LayerShape shape;
  std::vector<std::int64_t> steps;  // that there are primitives for
  std::vector<CellPair> pairs;      // of each number of steps
  WeightDescs weights;              // of all of them
  GradientLayout layout;
  std::vector<Call> forwards, backwards;  // [slots, numbers of steps]
  std::vector<Call> packs;                // [weights, gates]
};

Primitives::Primitives(const LayerShape& shape, std::int64_t slots) try
    : impl_(std::make_unique<Impl>(shape, slots)) {
} catch (const dnnl::error& error) {
  if (error.status == dnnl_unimplemented && shape.bf16()) {
    throw InvalidArgument("backend: expected native for bf16 on this CPU, found onednn");
  }
  throw Error(fmt::format("oneDNN: {} ({})", error.message, dnnl_status2str(error.status)));
}
Primitives::~Primitives() = default;

std::span<const std::int64_t> Primitives::steps() const noexcept { return impl_->steps; }
GradientLayout Primitives::gradient_layout() const noexcept { return impl_->layout; }

std::size_t Primitives::workspace_size(std::size_t length) const noexcept {
  return floats_of(desc_of(impl_->pairs[length].forward, DNNL_ARG_WORKSPACE));
}

std::size_t Primitives::scratchpad_size() const noexcept {
  std::size_t most = 0;
  for (const auto& [forward, backward] : impl_->pairs) {
    most = std::max({most, floats_of(desc_of(forward, DNNL_ARG_SCRATCHPAD)),
                     floats_of(desc_of(backward, DNNL_ARG_SCRATCHPAD))});
  }
  return most;
}

std::size_t Primitives::packed_size(Weight weight) const noexcept {
  return floats_of(impl_->desc(weight));
}

bool Primitives::reads_torch(Weight weight) const noexcept {
  const memory::desc& desc = impl_->desc(weight);
  return impl_->shape.cell != Cell::gru &&
         desc == weight_desc(impl_->shape, desc.get_dims()[2], Type::f32, Tag::ldgoi);
}

// NOLINTNEXTLINE(readability-non-const-parameter): oneDNN writes there
void Primitives::pack(Weight weight, std::int64_t gate, const float* values, float* packed) {
  const auto index = static_cast<std::int64_t>(weight) * impl_->gates() + gate;
  impl_->packs[static_cast<std::size_t>(index)].run(std::array<const void*, 2>{values, packed});
}

void Primitives::forward(std::int64_t slot, std::size_t length, const PieceArrays& a) {
  impl_->forwards[impl_->call(slot, length)].run(
      std::array<const void*, 11>{a.x, a.h_first, a.y, a.h_last, a.bias, a.workspace, a.weight_ih,
                                  a.weight_hh, a.scratchpad, a.c_first, a.c_last});
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
