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

std::int64_t Conv::gradient_tasks() const noexcept {
  return ceil_div(config_.channels, kChannels) * ceil_div(window(), width_);
}

void Conv::gradient(std::int64_t task) {
  const std::int64_t tiles = ceil_div(window(), width_);
  const std::int64_t channel = task / tiles * kChannels;
  const std::int64_t column = task % tiles * width_;
  const std::int64_t channels = std::min(kChannels, config_.channels - channel);
  const std::int64_t columns = std::min(width_, window() - column);
  const std::array<const float*, 1> left{z().at(delay_)};
  std::array<GradientTile::Block, 1> block{
      {{.first_row = channel,
        .rows = channels,
        .target = gradient_.data() + channel * window() + column}}};
  compute({.depth = rows_ - delay_,
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
  if (column == 0) bias_gradient(channel, channels);
}

void Conv::bias_gradient(std::int64_t channel, std::int64_t channels) {
  std::fill_n(bias_gradient_ + channel, channels, 0.0F);
  for (std::int64_t row = 0; row < rows_ - delay_; ++row) {
    const float* const d = z().at(delay_ + row);
    for (std::int64_t c = channel; c < channel + channels; ++c) bias_gradient_[c] += d[c];
  }
}

double Conv::gradient_square() const noexcept {
  return sum_of_squares(weight_gradient_, config_.channels, window(), window()) +
         sum_of_squares(bias_gradient_, 1, config_.channels, config_.channels);
}

}  // namespace quadgate::native
