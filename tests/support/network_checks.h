#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/training/network.h"
#include "tests/support/network_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::testing {

/// The number of values that Network::predict writes for a batch.
inline std::size_t outputs_of(const ModelConfig& config, const Batch& batch) {
  const std::int64_t items = config.task == Task::tagging ? batch.steps() : batch.rows();
  return static_cast<std::size_t>(items * config.output_size);
}

inline std::vector<float> predict(Network& network, const Batch& batch) {
  std::vector<float> outputs(outputs_of(network.config(), batch), NAN);
  network.predict(batch, outputs);
  return outputs;
}

/// Expects the reference's outputs, loss, gradient and norm, and returns the gradient.
inline Gradient expect_reference(Network& network, const Batch& batch, double tolerance) {
  const auto expected = network_reference(network.config(), network.parameters(), batch);
  EXPECT_LE(relative_error(predict(network, batch), expected.outputs), tolerance);

  const Metrics metrics = network.evaluate(batch);
  EXPECT_NEAR(metrics.mean_loss(), expected.loss, tolerance * expected.loss);
  const auto [of_pass, gradient] = network.differentiate(batch, {});
  EXPECT_EQ(of_pass.loss, metrics.loss);
  for (const auto& slice : network.parameters().slices()) {
    const auto offset = static_cast<std::ptrdiff_t>(slice.offset);
    const std::vector<double> of_slice(
        expected.gradients.begin() + offset,
        expected.gradients.begin() + offset + static_cast<std::ptrdiff_t>(slice.size));
    EXPECT_LE(relative_error(gradient.of(slice), of_slice), tolerance) << slice.name;
  }
  double square = 0;
  for (const double element : expected.gradients) square += element * element;
  EXPECT_NEAR(gradient.norm, std::sqrt(square), tolerance * gradient.norm);
  return gradient;
}

}  // namespace quadgate::testing
