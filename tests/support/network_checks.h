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

/// Expects the reference's outputs, loss, gradients and norm.
inline void expect_reference(Network& network, const Batch& batch, double tolerance) {
  const auto expected = network_reference(network.config(), network.parameters(), batch);
  EXPECT_LE(relative_error(predict(network, batch), expected.outputs), tolerance);

  const Metrics metrics = network.evaluate(batch);
  EXPECT_NEAR(metrics.mean_loss(), expected.loss, tolerance * expected.loss);
  double norm = 0;
  EXPECT_EQ(network.differentiate(batch, {}, norm).loss, metrics.loss);
  for (const auto& slice : network.parameters().slices()) {
    const auto offset = static_cast<std::ptrdiff_t>(slice.offset);
    const std::vector<double> gradient(
        expected.gradients.begin() + offset,
        expected.gradients.begin() + offset + static_cast<std::ptrdiff_t>(slice.size));
    EXPECT_LE(relative_error(network.parameters().gradients().subspan(slice.offset, slice.size),
                             gradient),
              tolerance)
        << slice.name;
  }
  double square = 0;
  for (const double gradient : expected.gradients) square += gradient * gradient;
  EXPECT_NEAR(norm, std::sqrt(square), tolerance * norm);
}

}  // namespace quadgate::testing
