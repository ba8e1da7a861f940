#include "engine/onednn/gradient.h"

#include <algorithm>
#include <array>
#include <functional>

namespace quadgate::onednn {
namespace {

constexpr std::int64_t kTile = 64;

std::size_t aligned(std::int64_t size) noexcept {
  return static_cast<std::size_t>((size + 15) / 16 * 16);
}

}  // namespace

Gradient::Gradient(const LayerShape& shape, const native::LayerPlan& plan,
                   const GradientLayout& layout, const Weights& weights,
                   const Parameters& parameters, GradientBuffer& buffer)
    : shape_(shape),
      layer_(plan.layer),
      weights_(weights),
      buffer_(buffer),
      sum_of_squares_(kernels::sum_of_squares_kernel(plan.isa)),
      ih_{.range = parameters.slice(plan.parameter("weight_ih")).range(),
          .columns = shape.input_size,
          .stride = layout.stride_ih},
      hh_{.recurrent = true,
          .range = parameters.slice(plan.parameter("weight_hh")).range(),
          .columns = shape.hidden_size,
          .stride = layout.stride_hh,
          .offset = aligned(ih_.columns * ih_.stride)},
      bias_offset_(hh_.offset + aligned(hh_.columns * hh_.stride)) {
  if (plan.forward_only) return;
  if (weights.has_bias()) {
    biases_ = {parameters.slice(plan.parameter("bias_ih")).range(),
               parameters.slice(plan.parameter("bias_hh")).range()};
  }
  const std::size_t size = bias_offset_ + aligned(bias_rows(shape.cell) * shape.hidden_size);
  for (std::int64_t slot = 0; slot < plan.slots; ++slot) slots_.emplace_back(size);
}

void Gradient::begin(std::int64_t slot, std::int64_t slice,
                     PieceDerivatives& derivatives) noexcept {
  if (slot == 0) first_ = slice;
  Buffer& values = slots_[static_cast<std::size_t>(slot)];
  std::ranges::fill(values.span(), 0.0F);
  derivatives.weight_ih = values.data();
  derivatives.weight_hh = values.data() + hh_.offset;
  derivatives.bias = values.data() + bias_offset_;
}

void Gradient::add_tasks(native::TaskList& tasks) {
  add_tasks(tasks, ih_);
  add_tasks(tasks, hh_);
  if (biases_.empty()) return;
  tasks.add({.cost = static_cast<double>(shape_.hidden_size),
             .layer = layer_,
             .writes = biases_,
             .run = [this](const native::Differentiated& backward, double* square) {
               *square = add_up_bias(backward.pass());
             }});
}

/// A task for the rows of some units.
void Gradient::add_tasks(native::TaskList& tasks, const Matrix& matrix) {
  for (std::int64_t gate = 0; gate < std::ssize(gate_order(shape_.cell)); ++gate) {
    for (std::int64_t unit = 0; unit < shape_.hidden_size; unit += kTile) {
      const Units units{gate, unit, std::min(kTile, shape_.hidden_size - unit)};
      const auto first = static_cast<std::size_t>(row_of(units) * matrix.columns);
      const auto size = static_cast<std::size_t>(units.count * matrix.columns);
      tasks.add(
          {.cost = static_cast<double>(size),
           .layer = layer_,
           .writes = {{matrix.range.begin + first, size}},
           .run = [this, &matrix, units](const native::Differentiated& backward, double* square) {
             *square = add_up(matrix, units, backward.pass());
           }});
    }
  }
}

double Gradient::add_up(const Matrix& matrix, const Units& units, const native::Pass& pass) {
  double square = 0;
  for (std::int64_t column = 0; column < matrix.columns; column += kTile) {
    square += add_up(matrix, units, column, pass);
  }
  return square;
}

double Gradient::add_up(const Matrix& matrix, const Units& units, std::int64_t column,
                        const native::Pass& pass) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  std::array<float, kTile * kTile> sums;  // [columns, units], as oneDNN has them
  const std::int64_t columns = std::min(kTile, matrix.columns - column);
  float* const target = buffer_.of(matrix.range) + row_of(units) * matrix.columns + column;
  const auto element = [&](std::int64_t k, std::int64_t i) -> float& {
    return sums[static_cast<std::size_t>(k * units.count + i)];
  };
  for (std::int64_t i = 0; i < units.count && first_ > 0; ++i) {
    for (std::int64_t k = 0; k < columns; ++k) element(k, i) = target[i * matrix.columns + k];
  }
  for (std::int64_t k = 0; k < columns; ++k) {
    const auto from =
        matrix.offset + static_cast<std::size_t>((column + k) * matrix.stride +
                                                 units.gate * shape_.hidden_size + units.first);
    add(slices(pass), from, units.count, &element(k, 0));
  }
  const bool drops =
      is_last_round(pass) && matrix.recurrent && weights_.drops_recurrent() && pass.drops();
  for (std::int64_t i = 0; i < units.count; ++i) {
    float* const to = target + i * matrix.columns;
    for (std::int64_t k = 0; k < columns; ++k) to[k] = element(k, i);
    if (drops) {
      weights_.drop(*pass.dropout, row_of(units) + i, column,
                    {to, static_cast<std::size_t>(columns)}, to);
    }
  }
  return is_last_round(pass) ? sum_of_squares_(units.count, columns, target, matrix.columns) : 0;
}

/// Adds some elements of the round's slices to sums, or, in the first round, replaces these.
void Gradient::add(std::span<const Buffer> slices, std::size_t from, std::int64_t count,
                   float* sums) const noexcept {
  if (first_ == 0) {
    std::copy_n(slices.front().data() + from, count, sums);
    slices = slices.subspan(1);
  }
  for (const Buffer& slice : slices) {
    std::transform(sums, sums + count, slice.data() + from, sums, std::plus<>());
  }
}

/// Both biases have the same gradient, but for a GRU's gate n.
double Gradient::add_up_bias(const native::Pass& pass) {
  const auto gates = std::ssize(gate_order(shape_.cell));
  double square = 0;
  for (std::int64_t gate = 0; gate < gates; ++gate) {
    const bool apart = shape_.cell == Cell::gru && gate + 1 == gates;
    square += add_up_bias(gate, gate, biases_[0], pass);
    square += add_up_bias(apart ? gate + 1 : gate, gate, biases_[1], pass);
  }
  return square;
}

double Gradient::add_up_bias(std::int64_t row, std::int64_t gate, const FlatRange& bias,
                             const native::Pass& pass) {
  const std::int64_t size = shape_.hidden_size;
  float* const to = buffer_.of(bias) + row_of({gate, 0, size});
  add(slices(pass), bias_offset_ + static_cast<std::size_t>(row * size), size, to);
  return is_last_round(pass) ? sum_of_squares_(1, size, to, size) : 0;
}

}  // namespace quadgate::onednn
