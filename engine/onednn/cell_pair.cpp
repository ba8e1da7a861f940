#include "engine/onednn/cell_pair.h"

namespace quadgate::onednn {

using dnnl::memory;
using dnnl::prop_kind;
using Tag = memory::format_tag;
using Type = memory::data_type;

namespace {

memory::desc with_strides(const memory::dims& dims, Type type, std::int64_t stride) {
  return {dims, type, memory::dims{dims[1] * stride, stride, 1}};
}

template <typename Forward, typename Backward>
void take(CellPair& pair, const Forward& forward, const Backward& backward) {
  pair.weights = {.forward_ih = forward.weights_layer_desc(),
                  .forward_hh = forward.weights_iter_desc(),
                  .backward_ih = backward.weights_layer_desc(),
                  .backward_hh = backward.weights_iter_desc(),
                  .d_ih = backward.diff_weights_layer_desc(),
                  .d_hh = backward.diff_weights_iter_desc()};
  pair.workspace = forward.workspace_desc();
  pair.scratchpad = forward.scratchpad_desc();
  pair.backward_scratchpad = backward.scratchpad_desc();
  pair.forward = dnnl::primitive(forward.get());
  pair.backward = dnnl::primitive(backward.get());
}

}  // namespace

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc weight_desc(std::int64_t columns, std::int64_t gates, std::int64_t hidden_size,
                         Type type, Tag tag) {
  return {{1, 1, columns, gates, hidden_size}, type, tag};
}

WeightDescs any_weights(const LayerShape& shape) {
  const Type type = shape.bf16() ? Type::bf16 : Type::f32;
  const auto gates = static_cast<std::int64_t>(gate_order(shape.cell).size());
  const auto any = [&](std::int64_t columns, Type its_type) {
    return weight_desc(columns, gates, shape.hidden_size, its_type, Tag::any);
  };
  const memory::desc ih = any(shape.input_size, type);
  const memory::desc hh = any(shape.hidden_size, type);
  return {ih, hh, ih, hh, any(shape.input_size, Type::f32), any(shape.hidden_size, Type::f32)};
}

CellPair make_pair(const LayerShape& shape, std::int64_t steps, const WeightDescs& w) {
  const Type type = shape.bf16() ? Type::bf16 : Type::f32;
  const auto direction = shape.reverse ? dnnl::rnn_direction::unidirectional_right2left
                                       : dnnl::rnn_direction::unidirectional_left2right;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const memory::dims x_dims{steps, shape.rows, shape.input_size};
  const memory::dims y_dims{steps, shape.rows, shape.hidden_size};
  const memory::dims state{1, 1, shape.rows, shape.hidden_size};
  const auto x = with_strides(x_dims, type, shape.x_stride());
  const auto dx = with_strides(x_dims, Type::f32, shape.input_size);
  const auto y = with_strides(y_dims, type, shape.y_stride());
  const auto dy = with_strides(y_dims, Type::f32, shape.y_width);
  const std::int64_t h_size = shape.rows * shape.h_stride();
  const memory::desc h{state, type, memory::dims{h_size, h_size, shape.h_stride(), 1}};
  const memory::desc c{state, Type::f32, Tag::ldnc};
  const memory::desc& dh = c;
  const memory::desc bias{{1, 1, bias_rows(shape.cell), shape.hidden_size}, Type::f32, Tag::ldgo};
  CellPair pair{.x = x, .y = y, .h = h, .c = c, .bias = bias, .dx = dx, .dy = dy};
  const auto kind = prop_kind::forward_training;
  switch (shape.cell) {
    case Cell::lstm: {
      const dnnl::lstm_forward::primitive_desc forward(
          cpu(), kind, direction, x, h, c, w.forward_ih, w.forward_hh, bias, y, h, c, attributes);
      take(pair, forward,
           dnnl::lstm_backward::primitive_desc(
               cpu(), prop_kind::backward, direction, x, h, c, w.backward_ih, w.backward_hh, bias,
               y, h, c, dx, dh, dh, w.d_ih, w.d_hh, bias, dy, dh, dh, forward, attributes));
      break;
    }
    case Cell::gru: {
      const dnnl::lbr_gru_forward::primitive_desc forward(
          cpu(), kind, direction, x, h, w.forward_ih, w.forward_hh, bias, y, h, attributes);
      take(pair, forward,
           dnnl::lbr_gru_backward::primitive_desc(
               cpu(), prop_kind::backward, direction, x, h, w.backward_ih, w.backward_hh, bias, y,
               h, dx, dh, w.d_ih, w.d_hh, bias, dy, dh, forward, attributes));
      break;
    }
    case Cell::rnn_tanh:
    case Cell::rnn_relu: {
      const auto activation = shape.cell == Cell::rnn_tanh ? dnnl::algorithm::eltwise_tanh
                                                           : dnnl::algorithm::eltwise_relu;
      const dnnl::vanilla_rnn_forward::primitive_desc forward(cpu(), kind, activation, direction, x,
                                                              h, w.forward_ih, w.forward_hh, bias,
                                                              y, h, 0.0F, attributes);
      take(pair, forward,
           dnnl::vanilla_rnn_backward::primitive_desc(cpu(), prop_kind::backward, activation,
                                                      direction, x, h, w.backward_ih, w.backward_hh,
                                                      bias, y, h, dx, dh, w.d_ih, w.d_hh, bias, dy,
                                                      dh, 0.0F, forward, attributes));
      break;
    }
  }
  return pair;
}

std::span<const std::int64_t> gate_order(Cell cell) noexcept {
  static constexpr std::array<std::int64_t, 4> kLstm{0, 1, 2, 3};
  static constexpr std::array<std::int64_t, 3> kGru{1, 0, 2};  // z r n of r z n
  static constexpr std::array<std::int64_t, 1> kRnn{0};
  switch (cell) {
    case Cell::lstm:
      return kLstm;
    case Cell::gru:
      return kGru;
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return kRnn;
}

std::int64_t bias_rows(Cell cell) noexcept {
  return cell == Cell::gru ? 4 : static_cast<std::int64_t>(gate_order(cell).size());
}

}  // namespace quadgate::onednn
