#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/native/conv.h"
#include "engine/native/gradient_tile.h"

namespace quadgate::native {
namespace {

/// Channels of a task at most. It brings the windows of its columns together once for all of them.
constexpr std::int64_t kChannels = 32;

}  // namespace

void Conv::add_gradient_tasks(TaskList& tasks) {
  const std::int64_t window = config_.kernel_size * filled(input_size_);
  const std::int64_t most = std::min(kChannels, width_);
  for (std::int64_t channel = 0; channel < config_.channels; channel += most) {
    for (std::int64_t column = 0; column < window; column += width_) {
      const Part part{channel, std::min(most, config_.channels - channel), column,
                      std::min(width_, window - column)};
      tasks.add({.cost = static_cast<double>(capacity_ * part.channels * part.columns),
                 .writes = {weight_range_, bias_range_},
                 .run = [this, part](const Differentiated&, double* square) {
                   *square = gradient(part);
                 }});
    }
  }
}

/// Computes a part of the gradient. Returns the sum of its squares.
double Conv::gradient(const Part& part) {
  std::array<float, kChannels> sums{};
  const bool has_bias = part.column == 0;
  const std::int64_t window = config_.kernel_size * filled(input_size_);
  const std::array<const float*, 1> left{z().at(delay_) + terms(part.channel)};
  std::array<GradientTile::Block, 1> block{
      {{.rows = part.channels, .target = gradient_.data() + part.channel * window + part.column}}};
  compute({.kernels = &kernels_,
           .depth = rows_ - delay_,
           .left = left,
           .left_width = part.channels,
           .left_stride = config_.channels,
           .left_sums = has_bias ? sums.data() : nullptr,
           .right = x(),
           .right_rows = nullptr,
           .first_column = part.column,
           .columns = part.columns,
           .target_stride = window},
          block);
  scatter(part);
  if (!has_bias) return block[0].square;
  std::copy_n(sums.data(), part.channels, bias_gradient_ + part.channel);
  return block[0].square + kernels_.sum_of_squares(1, part.channels, sums.data(), part.channels);
}

/// From the order of a window to that of the parameters.
void Conv::scatter(const Part& part) noexcept {
  const std::int64_t row = filled(input_size_);
  const float* from = gradient_.data() + part.channel * config_.kernel_size * row;
  float* to = weight_gradient_ + part.channel * window();
  for (std::int64_t channel = 0; channel < part.channels; ++channel) {
    for (std::int64_t i = part.column; i < part.column + part.columns; ++i) {
      if (i % row < input_size_) to[i % row * config_.kernel_size + i / row] = from[i];
    }
    from += config_.kernel_size * row;
    to += window();
  }
}

}  // namespace quadgate::native
