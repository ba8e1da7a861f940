#include "kernels/simd/scalar.h"

#include "kernels/matrix/bf16/impl.h"
#include "kernels/matrix/bf16/tile_product.h"
#include "kernels/simd/emulated_tiles.h"

namespace quadgate::kernels {
namespace {

/// Two numbers, rounded, as a pair.
float rounded_pair(float low, float high) noexcept {
  return pair(round_to_bf16(ScalarVec{low}), round_to_bf16(ScalarVec{high})).lanes;
}

constexpr std::int64_t kPanelLanes = 16;

std::int64_t whole_vectors(std::int64_t columns) noexcept {
  return (columns + kPanelLanes - 1) / kPanelLanes * kPanelLanes;
}

}  // namespace

// The specification.

void bf16_product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                         const Output& c) noexcept {
  const FlushDenormals flush;
  const std::int64_t width = whole_vectors(c.columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < c.columns; ++column) {
      float& result = c.data[row * c.stride + column];
      float sum = c.start == Output::Start::add    ? result
                  : c.start == Output::Start::bias ? c.bias[column]
                                                   : 0.0F;
      for (std::int64_t k = 0; k < depth; ++k) {
        const float left =
            a.data[row * a.row_stride + k % a.run * a.step + k / a.run * a.run_stride];
        const float right = b[k * width + column];
        sum = add_pairs(ScalarVec{left}, ScalarVec{right}, ScalarVec{sum}).lanes;
      }
      result = sum;
    }
  }
}

void bf16_tile_product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                              const Output& c) noexcept {
  TileProduct<EmulatedTiles, ScalarVec16>(depth, a, b, c).run(rows);
}

void bf16_gather_scalar(const Gather& gather) noexcept {
  const auto value = [&](std::int64_t k, std::int64_t column) noexcept {
    if (k >= gather.rows || column >= gather.columns) return 0.0F;
    const std::int64_t row = gather.index == nullptr ? k : gather.index[k];
    return row < 0 ? 0.0F : gather.from[row * gather.from_stride + column];
  };
  float* to = gather.to;
  for (std::int64_t k = 0; k < gather.rows; k += 2) {
    for (std::int64_t column = 0; column < whole_vectors(gather.columns); ++column) {
      *to++ = rounded_pair(value(k, column), value(k + 1, column));
    }
  }
}

void bf16_transpose_scalar(const Transpose& t) noexcept {
  const auto value = [&](std::int64_t k, std::int64_t lane) noexcept {
    return lane >= t.count || k >= t.depth ? 0.0F : t.from[lane * t.from_stride + k];
  };
  for (std::int64_t k = 0; k < t.depth; k += 2) {
    for (std::int64_t lane = 0; lane < kPanelLanes; ++lane) {
      t.to[k / 2 * t.to_stride + lane] = rounded_pair(value(k, lane), value(k + 1, lane));
    }
  }
}

void bf16_rows_scalar(const Bf16Rows& rows) noexcept {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const float* const from = rows.from + row * rows.from_stride;
    for (std::int64_t i = 0; i < rows.columns; i += 2) {
      rows.to[row * rows.to_stride + i / 2] =
          rounded_pair(from[i], i + 1 < rows.columns ? from[i + 1] : 0.0F);
    }
  }
}

void bf16_interleave_scalar(const Bf16Interleave& rows) noexcept {
  const auto number = [&](std::int64_t k, std::int64_t i) noexcept {
    const std::int64_t row = k >= rows.rows ? -1 : rows.index == nullptr ? k : rows.index[k];
    const ScalarVec pair{row < 0 ? 0.0F : rows.from[row * rows.from_stride + i / 2]};
    return i % 2 == 0 ? lower_half(pair) : upper_half(pair);
  };
  float* to = rows.to;
  for (std::int64_t k = 0; k < rows.rows; k += 2) {
    for (std::int64_t i = 0; i < whole_vectors(rows.columns); ++i) {
      *to++ = pair(number(k, i), number(k + 1, i)).lanes;
    }
  }
}

}  // namespace quadgate::kernels
