#include <algorithm>
#include <array>

#include "engine/base/ceil_div.h"
#include "engine/native/conv.h"
#include "engine/native/gradient_tile.h"

namespace quadgate::native {
namespace {

/// Channels of a task. A task brings the windows of its columns together once for all of them.
constexpr std::int64_t kChannels = 32;

}  // namespace

void Conv::add_gradient_tasks(TaskList& tasks) {
  for (std::int64_t channel = 0; channel < config_.channels; channel += kChannels) {
    for (std::int64_t column = 0; column < window(); column += width_) {
      const std::int64_t elements =
          std::min(kChannels, config_.channels - channel) * std::min(width_, window() - column);
      tasks.add({.cost = static_cast<double>(capacity_ * elements),
                 .writes = {weight_range_, bias_range_},
                 .run = [this, channel, column](const Differentiated&, double* square) {
                   *square = gradient(channel, column);
                 }});
    }
  }
}

/// Computes the gradient of some channels and columns of a window. Returns the sum of its squares.
double Conv::gradient(std::int64_t channel, std::int64_t column) {
  const std::int64_t channels = std::min(kChannels, config_.channels - channel);
  const std::int64_t columns = std::min(width_, window() - column);
  const std::array<const float*, 1> left{z().at(delay_)};
  std::array<GradientTile::Block, 1> block{
      {{.first_row = channel,
        .rows = channels,
        .target = gradient_.data() + channel * window() + column}}};
  compute({.kernels = &kernels_,
           .depth = rows_ - delay_,
           .left = left,
           .left_width = config_.channels,
           .right = x(),
           .right_rows = nullptr,
           .first_column = column,
           .columns = columns,
           .target_stride = window()},
          block);
  for (std::int64_t c = channel; c < channel + channels; ++c) {
    for (std::int64_t i = column; i < column + columns; ++i) {
      weight_gradient_[c * window() + i % input_size_ * config_.kernel_size + i / input_size_] =
          gradient_.data()[c * window() + i];
    }
  }
  return block[0].square + (column == 0 ? bias_gradient(channel, channels) : 0);
}

double Conv::bias_gradient(std::int64_t channel, std::int64_t channels) {
  std::fill_n(bias_gradient_ + channel, channels, 0.0F);
  for (std::int64_t row = 0; row < rows_ - delay_; ++row) {
    const float* const d = z().at(delay_ + row);
    for (std::int64_t c = channel; c < channel + channels; ++c) bias_gradient_[c] += d[c];
  }
  return kernels_.sum_of_squares(1, channels, bias_gradient_ + channel, channels);
}

}  // namespace quadgate::native
