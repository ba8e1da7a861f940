#include "engine/onednn/lstm_direction.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/base/error.h"

namespace quadgate::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc describe(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

std::size_t floats(const memory::desc& desc) { return (desc.get_size() + 3) / sizeof(float); }

/// Descriptors of the two primitives, with weights in the layouts that oneDNN prefers.
struct Primitives {
  explicit Primitives(const LstmShape& s)
      : x(describe({s.seq_len, s.batch, s.input_size}, Tag::tnc)),
        y(describe({s.seq_len, s.batch, s.hidden_size}, Tag::tnc)),
        state(describe({1, 1, s.batch, s.hidden_size}, Tag::ldnc)),
        bias(describe({1, 1, 4, s.hidden_size}, Tag::ldgo)) {
    const memory::dims ih_dims{1, 1, s.input_size, 4, s.hidden_size};
    const memory::dims hh_dims{1, 1, s.hidden_size, 4, s.hidden_size};
    const auto any_ih = describe(ih_dims, Tag::any);
    const auto any_hh = describe(hh_dims, Tag::any);
    torch_ih = describe(ih_dims, Tag::ldgoi);
    torch_hh = describe(hh_dims, Tag::ldgoi);
    constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    forward = {cpu(),      dnnl::prop_kind::forward_training,
               kDirection, x,
               state,      state,
               any_ih,     any_hh,
               bias,       y,
               state,      state,
               attributes};
    backward = {cpu(),      dnnl::prop_kind::backward,
                kDirection, x,
                state,      state,
                any_ih,     any_hh,
                bias,       y,
                state,      state,
                x,          state,
                state,      any_ih,
                any_hh,     bias,
                y,          state,
                state,      forward,
                attributes};
  }

  memory::desc x, y, state, bias, torch_ih, torch_hh;
  dnnl::lstm_forward::primitive_desc forward;
  dnnl::lstm_backward::primitive_desc backward;
};

/// Floats between the rows [k] and [k + 1] of a plain [1, 1, K, 4, H] array; any other layout would
/// be a oneDNN that we do not know.
std::int64_t plain_stride(const memory::desc& desc) {
  const auto strides = desc.get_strides();
  const auto hidden_size = desc.get_dims()[4];
  if (desc.get_inner_nblks() != 0 || strides[4] != 1 || strides[3] != hidden_size) {
    throw Error("oneDNN: weight gradients of the LSTM are not in the plain layout ldigo");
  }
  return strides[2];
}

LstmGradientLayout layout_gradients(const Primitives& primitives) {
  constexpr std::size_t kLine = 16;
  const auto aligned = [](std::size_t size) { return (size + kLine - 1) / kLine * kLine; };
  LstmGradientLayout layout;
  const auto ih = primitives.backward.diff_weights_layer_desc();
  const auto hh = primitives.backward.diff_weights_iter_desc();
  layout.stride_ih = plain_stride(ih);
  layout.stride_hh = plain_stride(hh);
  layout.weight_hh = aligned(floats(ih));
  layout.bias = layout.weight_hh + aligned(floats(hh));
  layout.size = layout.bias + aligned(floats(primitives.bias));
  return layout;
}

/// A PyTorch matrix in a layout of oneDNN's: a copy, or the matrix itself where the two are one.
class Packed {
 public:
  Packed(const memory::desc& torch, const memory::desc& wanted, const float* data)
      : source_(torch, cpu(), const_cast<float*>(data)), target_(source_) {  // never written
    if (wanted != torch) {
      copy_ = Buffer(floats(wanted));
      target_ = memory(wanted, cpu(), copy_.data());
      reorder_ = dnnl::reorder(source_, target_);
    }
  }

  void pack(dnnl::stream& stream) {
    if (copy_.size() != 0) {
      const std::array<dnnl_exec_arg_t, 2> arguments{
          {{DNNL_ARG_FROM, source_.get()}, {DNNL_ARG_TO, target_.get()}}};
      dnnl::error::wrap_c_api(
          dnnl_primitive_execute(reorder_.get(), stream.get(), 2, arguments.data()),
          "could not reorder the weights of an LSTM");
    }
  }

  const memory& get() const noexcept { return target_; }

 private:
  memory source_;
  memory target_;
  Buffer copy_;
  dnnl::reorder reorder_;
};

/// oneDNN's exceptions, as ours.
template <typename Function>
auto translate(Function&& function) {
  try {
    return function();
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN: {} ({})", error.message, dnnl_status2str(error.status)));
  }
}

}  // namespace

struct DirectionWeights::Impl {
  Impl(const LstmShape& shape, const float* weight_ih, const float* weight_hh,
       const float* bias_ih_values, const float* bias_hh_values)
      : primitives(shape),
        layout(layout_gradients(primitives)),
        forward_ih(primitives.torch_ih, primitives.forward.weights_layer_desc(), weight_ih),
        forward_hh(primitives.torch_hh, primitives.forward.weights_iter_desc(), weight_hh),
        backward_ih(primitives.torch_ih, primitives.backward.weights_layer_desc(), weight_ih),
        backward_hh(primitives.torch_hh, primitives.backward.weights_iter_desc(), weight_hh),
        bias_ih(bias_ih_values),
        bias_hh(bias_hh_values),
        bias(static_cast<std::size_t>(4 * shape.hidden_size)),
        stream(cpu()) {}

  Primitives primitives;
  LstmGradientLayout layout;
  Packed forward_ih, forward_hh, backward_ih, backward_hh;
  const float* bias_ih;
  const float* bias_hh;
  Buffer bias;  // the sum of the two
  dnnl::stream stream;
};

DirectionWeights::DirectionWeights(const LstmShape& shape, const float* weight_ih,
                                   const float* weight_hh, const float* bias_ih,
                                   const float* bias_hh)
    : impl_(translate(
          [&] { return std::make_unique<Impl>(shape, weight_ih, weight_hh, bias_ih, bias_hh); })) {}
DirectionWeights::~DirectionWeights() = default;
DirectionWeights::DirectionWeights(DirectionWeights&&) noexcept = default;

void DirectionWeights::pack_input() {
  translate([&] {
    impl_->forward_ih.pack(impl_->stream);
    impl_->backward_ih.pack(impl_->stream);
  });
  const auto bias = impl_->bias.span();
  std::transform(impl_->bias_ih, impl_->bias_ih + bias.size(), impl_->bias_hh, bias.begin(),
                 std::plus<>());
}

void DirectionWeights::pack_hidden() {
  translate([&] {
    impl_->forward_hh.pack(impl_->stream);
    impl_->backward_hh.pack(impl_->stream);
  });
}

const LstmGradientLayout& DirectionWeights::gradient_layout() const noexcept {
  return impl_->layout;
}

struct LstmDirection::Impl {
  Impl(const DirectionWeights::Impl& weights, const LstmArrays& arrays)
      : layout(weights.layout),
        workspace(floats(weights.primitives.forward.workspace_desc())),
        scratchpad(std::max(floats(weights.primitives.forward.scratchpad_desc()),
                            floats(weights.primitives.backward.scratchpad_desc()))),
        forward(weights.primitives.forward),
        backward(weights.primitives.backward),
        stream(cpu()) {
    const auto& p = weights.primitives;
    const auto use = [](const memory::desc& desc, const float* data) {
      return memory(desc, cpu(), const_cast<float*>(data));
    };
    const auto add = [](Arguments& arguments, int name, memory data) {
      arguments.memories.push_back(std::move(data));
      arguments.list.push_back({name, arguments.memories.back().get()});
    };
    for (auto* arguments : {&forward_arguments, &backward_arguments}) {
      add(*arguments, DNNL_ARG_SRC_LAYER, use(p.x, arrays.x));
      add(*arguments, DNNL_ARG_SRC_ITER, use(p.state, arrays.h0));
      add(*arguments, DNNL_ARG_SRC_ITER_C, use(p.state, arrays.c0));
      add(*arguments, DNNL_ARG_BIAS, use(p.bias, weights.bias.data()));
      add(*arguments, DNNL_ARG_DST_LAYER, use(p.y, arrays.y));
      add(*arguments, DNNL_ARG_DST_ITER, use(p.state, arrays.h_n));
      add(*arguments, DNNL_ARG_DST_ITER_C, use(p.state, arrays.c_n));
      add(*arguments, DNNL_ARG_WORKSPACE, use(p.forward.workspace_desc(), workspace.data()));
    }
    add(forward_arguments, DNNL_ARG_WEIGHTS_LAYER, weights.forward_ih.get());
    add(forward_arguments, DNNL_ARG_WEIGHTS_ITER, weights.forward_hh.get());
    add(forward_arguments, DNNL_ARG_SCRATCHPAD,
        use(p.forward.scratchpad_desc(), scratchpad.data()));
    add(backward_arguments, DNNL_ARG_WEIGHTS_LAYER, weights.backward_ih.get());
    add(backward_arguments, DNNL_ARG_WEIGHTS_ITER, weights.backward_hh.get());
    add(backward_arguments, DNNL_ARG_SCRATCHPAD,
        use(p.backward.scratchpad_desc(), scratchpad.data()));
    add(backward_arguments, DNNL_ARG_DIFF_SRC_LAYER, use(p.x, arrays.dx));
    add(backward_arguments, DNNL_ARG_DIFF_SRC_ITER, use(p.state, arrays.dh0));
    add(backward_arguments, DNNL_ARG_DIFF_SRC_ITER_C, use(p.state, arrays.dc0));
    add(backward_arguments, DNNL_ARG_DIFF_DST_LAYER, use(p.y, arrays.dy));
    add(backward_arguments, DNNL_ARG_DIFF_DST_ITER, use(p.state, arrays.dh_n));
    add(backward_arguments, DNNL_ARG_DIFF_DST_ITER_C, use(p.state, arrays.dc_n));
    // Bound at each call.
    d_weight_ih = use(p.backward.diff_weights_layer_desc(), nullptr);
    d_weight_hh = use(p.backward.diff_weights_iter_desc(), nullptr);
    d_bias = use(p.bias, nullptr);
    add(backward_arguments, DNNL_ARG_DIFF_WEIGHTS_LAYER, d_weight_ih);
    add(backward_arguments, DNNL_ARG_DIFF_WEIGHTS_ITER, d_weight_hh);
    add(backward_arguments, DNNL_ARG_DIFF_BIAS, d_bias);
  }

  /// `list` is what the C interface takes; the C++ one would build it anew at each call.
  struct Arguments {
    std::vector<memory> memories;
    std::vector<dnnl_exec_arg_t> list;
  };

  void execute(const dnnl::primitive& primitive, const Arguments& arguments) {
    translate([&] {
      dnnl::error::wrap_c_api(
          dnnl_primitive_execute(primitive.get(), stream.get(),
                                 static_cast<int>(arguments.list.size()), arguments.list.data()),
          "could not run an LSTM");
    });
  }

  LstmGradientLayout layout;
  Buffer workspace, scratchpad;
  dnnl::lstm_forward forward;
  dnnl::lstm_backward backward;
  dnnl::stream stream;
  Arguments forward_arguments, backward_arguments;
  memory d_weight_ih, d_weight_hh, d_bias;
};

LstmDirection::LstmDirection(const DirectionWeights& weights, const LstmArrays& arrays)
    : impl_(translate([&] { return std::make_unique<Impl>(*weights.impl_, arrays); })) {}
LstmDirection::~LstmDirection() = default;
LstmDirection::LstmDirection(LstmDirection&&) noexcept = default;

LstmDirection::Forward LstmDirection::forward() {
  impl_->execute(impl_->forward, impl_->forward_arguments);
  return {};
}

void LstmDirection::backward(const Forward&, float* gradients) {
  std::fill_n(gradients, impl_->layout.size, 0.0F);  // oneDNN adds to them
  impl_->d_weight_ih.set_data_handle(gradients + impl_->layout.weight_ih);
  impl_->d_weight_hh.set_data_handle(gradients + impl_->layout.weight_hh);
  impl_->d_bias.set_data_handle(gradients + impl_->layout.bias);
  impl_->execute(impl_->backward, impl_->backward_arguments);
}

}  // namespace quadgate::onednn
