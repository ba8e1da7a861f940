#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Cross-entropy of rows of logits, and its gradient
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.CrossEntropyLoss.html).
struct CrossEntropy {
  std::int64_t rows;
  std::int64_t classes;        ///< at least 1
  const float* logits;         ///< [rows, classes]
  const std::int64_t* labels;  ///< [rows], in [0, classes)
  float gradient_scale;
  float* gradient;            ///< [rows, classes]: (softmax - one_hot) * gradient_scale; may be
                              ///< logits itself; null: not wanted
  float* losses;              ///< [rows]: -log softmax at the label
  std::int64_t* predictions;  ///< [rows]: the first class with the largest logit
};

/// Each loss is within 2 epsilon of 1 + log(classes) + the span of the row's logits (measured, up
/// to 100,000 classes), and each gradient within 2 + classes / 32 epsilon of gradient_scale, as 16
/// sums run side by side; softmax below e^-87 counts as e^-87. NaN or +infinity in a row makes its
/// loss NaN; its prediction stays within the classes. The same bits from every ISA.
using CrossEntropyKernel = void (*)(const CrossEntropy& batch) noexcept;
CrossEntropyKernel cross_entropy_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
