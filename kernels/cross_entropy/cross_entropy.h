#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Cross-entropy of rows of logits, and its gradient
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html).
struct CrossEntropy {
  std::int64_t rows;
  std::int64_t classes;        ///< at least 1
  float* logits;               ///< [rows, classes]; with a gradient_scale other than 0 replaced by
                               ///< (softmax - one_hot) * gradient_scale
  const std::int64_t* labels;  ///< [rows], in [0, classes)
  float gradient_scale;
  float* losses;              ///< [rows]: -log softmax at the label
  std::int64_t* predictions;  ///< [rows]: the first class with the largest logit
};

/// Each loss is within 4 epsilon of log(classes) + the span of the row's logits, and each gradient
/// within 8 epsilon of gradient_scale; softmax below e^-87 counts as e^-87. The same bits from
/// every ISA.
using CrossEntropyKernel = void (*)(const CrossEntropy& batch) noexcept;
CrossEntropyKernel cross_entropy_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
