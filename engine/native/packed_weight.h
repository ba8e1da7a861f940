#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/pack_task.h"
#include "engine/model/parameters.h"
#include "engine/native/packed_matrix.h"

namespace quadgate::native {

/// A weight matrix of the parameters in the panels of the forward and of the backward pass. A piece
/// of it is the rows that lie across one panel of the forward pass.
class PackedWeight {
 public:
  struct Plan {
    std::int64_t parts = 1;  ///< as all of these: see PackedMatrix::Shape
    std::vector<std::int64_t> rows;
    std::int64_t forward_width = 0;
    std::int64_t backward_width = 0;  ///< 0: there is no backward pass
    kernels::MatrixKernels kernels;   ///< those that read the panels
  };

  PackedWeight() = default;
  /// `parameters`, of which `slice` is one, must outlive this object.
  PackedWeight(const Parameters& parameters, const ParameterSlice& slice, Plan plan);

  const PackedMatrix& forward() const noexcept { return forward_; }
  const PackedMatrix& backward() const noexcept { return backward_; }
  const float* values() const noexcept { return *values_; }
  std::int64_t columns() const noexcept { return columns_; }

  std::int64_t pieces() const noexcept { return forward_.panels(); }
  /// Calls body(row of the matrix) for those of a piece.
  template <typename Body>
  void for_each_row(std::int64_t piece, Body body) const {
    for (std::int64_t i = piece * width_; i < end(piece); ++i) {
      if (const std::int64_t row = rows_[static_cast<std::size_t>(i)]; row >= 0) body(row);
    }
  }
  /// Packs a piece of `weights`, which have the layout of the parameters'.
  void pack(std::int64_t piece, const float* weights);

  /// Where the weights of a piece are. Rows that follow each other are one range.
  std::vector<FlatRange> parameters(std::int64_t piece) const;

  /// A task for each piece. This object must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);

 private:
  /// Behind the last listed row of a piece.
  std::int64_t end(std::int64_t piece) const noexcept {
    return std::min((piece + 1) * width_, static_cast<std::int64_t>(rows_.size()));
  }

  const float* const* values_ = nullptr;  // their address
  std::size_t offset_ = 0;                // in the flat arrays
  std::int64_t columns_ = 0;
  std::int64_t width_ = 0;  // of a piece
  std::vector<std::int64_t> rows_;
  PackedMatrix forward_, backward_;
};

}  // namespace quadgate::native
