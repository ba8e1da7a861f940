#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/gradient_buffer.h"
#include "engine/native/cell_kernels.h"
#include "engine/native/packed_weight.h"
#include "engine/native/row_view.h"

namespace quadgate::native {

/// The weight and the bias of a linear head, packed, and where their gradients are. It multiplies
/// what it is told to; which core takes which rows is for the heads to say. In the arithmetic of
/// bf16 it reads numbers in pairs of neighbours (kernels/matrix/bf16/bf16.h).
class HeadWeights {
 public:
  /// `parameters` must outlive it.
  HeadWeights(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
              GradientBuffer& gradient);

  /// Tasks that take over changed weights. The object must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);

  const kernels::MatrixKernels& kernels() const noexcept { return kernels_; }
  /// Whether the arithmetic is that of bf16.
  bool rounds() const noexcept { return kernels_.arithmetic != kernels::Arithmetic::floats; }
  /// Terms of a sum over so many numbers: they or their pairs.
  std::int64_t terms(std::int64_t numbers) const noexcept {
    return rounds() ? (numbers + 1) / 2 : numbers;
  }
  std::int64_t outputs() const noexcept { return outputs_; }
  std::int64_t features() const noexcept { return features_; }
  /// Of a panel of outputs or features.
  std::int64_t width() const noexcept { return width_; }
  const PackedMatrix& forward() const noexcept { return packed_.forward(); }
  const PackedMatrix& backward() const noexcept { return packed_.backward(); }

  /// Computes a panel of the outputs of some rows of features. `to` begins with the panel.
  void multiply(std::int64_t panel, std::int64_t rows, const RowView& from,
                const RowView& to) const noexcept;
  /// Computes what the derivatives of the outputs [first, last) of some rows add to a panel of
  /// those of the features. `d_outputs` begins with the output `first`, which is even, `to` with
  /// the first feature. Output 0 adds to zeros.
  void multiply_back(std::int64_t panel, std::int64_t first, std::int64_t last, std::int64_t rows,
                     const kernels::Lhs& d_outputs, const RowView& to) const noexcept;

  /// A part of the gradient: some outputs and features. With the first features it has the bias.
  struct Part {
    std::int64_t output = 0;
    std::int64_t outputs = 0;
    std::int64_t feature = 0;
    std::int64_t features = 0;

    bool has_bias() const noexcept { return feature == 0; }
  };
  /// Where the rows of a part lie in the flat arrays.
  std::vector<FlatRange> ranges(const Part& part) const;
  /// [outputs, features], from a part's first one on.
  float* weight_gradient(const Part& part) const noexcept {
    return weight_gradient_ + part.output * features_ + part.feature;
  }
  /// [outputs], from a part's first one on.
  float* bias_gradient(const Part& part) const noexcept { return bias_gradient_ + part.output; }
  /// Later tasks add to the gradient of a tied weight.
  bool tied() const noexcept { return tied_; }

 private:
  std::int64_t outputs_;
  std::int64_t features_;
  kernels::MatrixKernels kernels_;
  std::int64_t width_;
  PackedWeight packed_;
  Buffer bias_;  // padded to whole vectors
  std::span<const float> bias_values_;
  FlatRange weight_range_, bias_range_;  // in the flat arrays
  float* weight_gradient_;
  float* bias_gradient_;
  bool tied_;
};

}  // namespace quadgate::native
