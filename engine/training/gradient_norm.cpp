#include "engine/training/gradient_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "engine/base/ceil_div.h"
#include "engine/model/gradient_buffer.h"
#include "engine/threads/parallel_tiles.h"
#include "kernels/base/isa.h"

namespace quadgate {

GradientNorm::GradientNorm(const Parameters& parameters)
    : sum_of_squares_(kernels::sum_of_squares_kernel(kernels::active_isa())) {
  const SparseRows table = sparse_table(parameters);
  flat_tiles_ = ceil_div(parameters.values().size() - table.size, kFlatTile);
  squares_.resize(flat_tiles_ + static_cast<std::size_t>(table.most_tiles()));
}

double GradientNorm::of(const Gradient& gradient, Arena& arena) {
  const SparseRows& rows = gradient.rows;
  const float* const values = gradient.values.data();
  std::ranges::fill(squares_, 0.0);
  arena.for_each(rows.tiles(), [&](std::int64_t tile) {
    double& square = squares_[flat_tiles_ + static_cast<std::size_t>(tile)];
    rows.for_each(tile, [&](const FlatRange& row) {
      square += kernels::sum_of_squares(sum_of_squares_, values + row.begin, rows.width);
    });
  });
  for_each_tile(arena, gradient.values.size() - rows.size,
                [&](std::size_t start, std::int64_t length) {
                  squares_[start / kFlatTile] =
                      kernels::sum_of_squares(sum_of_squares_, values + rows.size + start, length);
                });
  return gradient.scale * std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
}

}  // namespace quadgate
