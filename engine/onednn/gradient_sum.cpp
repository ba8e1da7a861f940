#include "engine/onednn/gradient_sum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

namespace quadgate::onednn {
namespace {

constexpr std::size_t kTile = 64;
using TileValues = std::array<float, kTile * kTile>;

double square_of(std::span<const float> values) {
  double square = 0;
  for (const float value : values) {
    square += static_cast<double>(value) * value;
  }
  return square;
}

std::size_t aligned(std::size_t size) { return (size + 15) / 16 * 16; }

}  // namespace

GradientSum::GradientSum(const RecurrentConfig& config, const Parameters& parameters,
                         const StackWeights& weights) {
  const auto slices = parameters.slices();
  constexpr std::size_t kTensorsPerDirection = 4;
  const auto directions = static_cast<std::size_t>(config.num_layers * config.num_directions());
  for (std::size_t direction = 0; direction < directions; ++direction) {
    const auto tensors = slices.subspan(direction * kTensorsPerDirection, kTensorsPerDirection);
    const auto& layout = weights.directions()[direction].gradient_layout();
    const std::size_t base = weights.gradient_offsets()[direction];
    add_transposed(tensors[0], base + layout.weight_ih, layout.stride_ih);
    add_transposed(tensors[1], base + layout.weight_hh, layout.stride_hh);
    add_contiguous(tensors[2], base + layout.bias);
    add_contiguous(tensors[3], base + layout.bias);
  }
  const auto& head_weight = parameters.head_weight();
  const auto& head_bias = parameters.head_bias();
  head_weight_ = weights.gradient_size();
  head_bias_ = head_weight_ + aligned(head_weight.size);
  slice_size_ = head_bias_ + aligned(head_bias.size);
  add_contiguous(head_weight, head_weight_);
  add_contiguous(head_bias, head_bias_);
}

void GradientSum::add_transposed(const ParameterSlice& slice, std::size_t slice_offset,
                                 std::int64_t slice_stride) {
  const auto rows = static_cast<std::size_t>(slice.shape[0]);
  const auto columns = static_cast<std::size_t>(slice.shape[1]);
  const auto stride = static_cast<std::size_t>(slice_stride);
  for (std::size_t row = 0; row < rows; row += kTile) {
    for (std::size_t column = 0; column < columns; column += kTile) {
      tiles_.push_back({.offset = slice.offset + row * columns + column,
                        .stride = columns,
                        .slice_offset = slice_offset + column * stride + row,
                        .slice_stride = stride,
                        .rows = std::min(kTile, rows - row),
                        .columns = std::min(kTile, columns - column)});
    }
  }
}

void GradientSum::add_contiguous(const ParameterSlice& slice, std::size_t slice_offset) {
  constexpr std::size_t kLength = kTile * kTile;
  for (std::size_t start = 0; start < slice.size; start += kLength) {
    tiles_.push_back({.offset = slice.offset + start,
                      .slice_offset = slice_offset + start,
                      .rows = 1,
                      .columns = std::min(kLength, slice.size - start)});
  }
}

double GradientSum::sum(Arena& arena, std::span<const Buffer> slices, std::span<float> gradient) {
  arena.for_each(static_cast<std::int64_t>(tiles_.size()), [&](std::int64_t index) {
    auto& tile = tiles_[static_cast<std::size_t>(index)];
    const bool transposed = tile.slice_stride != 0;
    // In the slice's order: `lines` lines of `length` consecutive floats.
    const std::size_t lines = transposed ? tile.columns : tile.rows;
    const std::size_t length = transposed ? tile.rows : tile.columns;
    TileValues values;
    for (std::size_t line = 0; line < lines; ++line) {
      const std::size_t start = tile.slice_offset + line * tile.slice_stride;
      float* sum = values.data() + line * length;
      std::copy_n(slices.front().data() + start, length, sum);
      for (const auto& slice : slices.subspan(1)) {
        std::transform(sum, sum + length, slice.data() + start, sum, std::plus<>());
      }
    }
    tile.square = square_of({values.data(), lines * length});
    if (!transposed) {
      std::copy_n(values.data(), length, gradient.data() + tile.offset);
      return;
    }
    for (std::size_t row = 0; row < tile.rows; ++row) {
      for (std::size_t column = 0; column < tile.columns; ++column) {
        gradient[tile.offset + row * tile.stride + column] = values[column * length + row];
      }
    }
  });
  const auto add_square = [](double sum, const Tile& tile) { return sum + tile.square; };
  return std::sqrt(std::accumulate(tiles_.begin(), tiles_.end(), 0.0, add_square));
}

}  // namespace quadgate::onednn
