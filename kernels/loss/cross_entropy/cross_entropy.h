#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Cross-entropy of rows of logits, and its gradient
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html).
///
/// The target of a row is q_c = smoothing[c], plus label_weights[label] for c = label. Q is the sum
/// of q_c. The loss is the sum of q_c * -log softmax_c, and its gradient is Q softmax - q.
///
/// The logit of class c of a row, and its gradient, lie at
///
///     row * row_stride + c % run + c / run * run_stride
///
/// A row-major matrix has row_stride = run = classes. Panels of classes, as products make them
/// (base/panels.h), have run = row_stride, the width of a panel of whole vectors.
struct CrossEntropy {
  std::int64_t rows;
  std::int64_t classes;  ///< at least 1
  std::int64_t row_stride;
  std::int64_t run;
  std::int64_t run_stride;
  const float* logits;
  const std::int64_t* labels;  ///< [rows], in [0, classes), or ignore_index
  std::int64_t ignore_index;   ///< rows of this label do not count: loss and gradient are 0
  const float* label_weights;  ///< [classes], at least 0; null: all 1
  const float* smoothing;      ///< [classes], at least 0; null: all 0
  float smoothing_sum;         ///< of all classes
  float gradient_scale;
  float* gradient;            ///< (Q softmax - q) * gradient_scale; may be logits itself; null: not
                              ///< wanted
  float* losses;              ///< [rows]
  std::int64_t* predictions;  ///< [rows]: the first class with the largest logit
};

/// Each loss is within 2 epsilon of Q times 1 + log(classes) + the span of the row's logits
/// (measured, up to 100,000 classes). Each gradient is within 2 + classes / 32 epsilon of
/// Q gradient_scale, as 16 sums run side by side. With smoothing, both are within 3 + classes / 32
/// epsilon of the same. Softmax below e^-87 counts as e^-87. NaN or +infinity in a row that counts
/// makes its loss NaN. Its prediction stays within the classes. Every ISA gives the same bits.
using CrossEntropyKernel = void (*)(const CrossEntropy& batch) noexcept;
CrossEntropyKernel cross_entropy_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
