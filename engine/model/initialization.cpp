#include "engine/model/initialization.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/random.h"

namespace quadgate {
namespace {

/// `count` vectors of `size` >= count numbers from N(0, 1), made orthonormal one after the other
/// (Gram and Schmidt, twice, which leaves nothing of the ones before but rounding).
std::vector<std::vector<double>> orthonormal(std::size_t count, std::size_t size,
                                             std::uint64_t seed, std::uint32_t block) {
  std::vector<std::vector<double>> vectors(count, std::vector<double>(size));
  for (std::size_t i = 0; i < count; ++i) {
    auto& vector = vectors[i];
    for (std::size_t k = 0; k < size; k += 4) {
      const auto numbers = to_normal_floats(
          philox(seed, {static_cast<std::uint32_t>(RandomUse::orthogonal), block,
                        static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k / 4)}));
      std::copy_n(numbers.begin(), std::min<std::size_t>(4, size - k),
                  vector.begin() + static_cast<std::ptrdiff_t>(k));
    }
    const auto dot = [&](const std::vector<double>& other) {
      return std::inner_product(vector.begin(), vector.end(), other.begin(), 0.0);
    };
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t before = 0; before < i; ++before) {
        const double along = dot(vectors[before]);
        for (std::size_t k = 0; k < size; ++k) vector[k] -= along * vectors[before][k];
      }
    }
    const double length = std::sqrt(dot(vector));
    for (double& value : vector) value /= length;
  }
  return vectors;
}

bool is_called(const ParameterSlice& slice, const char* name) {
  return slice.name.find(name) != std::string::npos;
}

}  // namespace

void make_orthogonal(const RecurrentConfig& config, Parameters& parameters, std::uint64_t seed) {
  const auto rows = static_cast<std::size_t>(config.hidden_size);
  const auto columns = static_cast<std::size_t>(config.h_size());
  std::uint32_t block = 0;
  ParameterEditor editor = parameters.edit();
  for (const auto& slice : parameters.slices()) {
    if (!is_called(slice, "weight_hh_l")) continue;
    const auto weights = editor.value(slice);
    for (std::int64_t gate = 0; gate < num_gates(config.cell); ++gate) {
      const auto of_gate = weights.subspan(static_cast<std::size_t>(gate) * rows * columns);
      const auto basis = orthonormal(columns, rows, seed, block++);
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
          of_gate[row * columns + column] = static_cast<float>(basis[column][row]);
        }
      }
    }
  }
}

void set_forget_bias(const RecurrentConfig& config, Parameters& parameters, float value) {
  if (config.cell != Cell::lstm || !config.bias) {
    throw InvalidArgument("forget_bias: expected an LSTM with biases");
  }
  const auto size = static_cast<std::size_t>(config.hidden_size);
  ParameterEditor editor = parameters.edit();
  for (const auto& slice : parameters.slices()) {
    for (const auto& [name, bias] : {std::pair{"bias_ih_l", value}, std::pair{"bias_hh_l", 0.0F}}) {
      if (!is_called(slice, name)) continue;
      std::ranges::fill(editor.value(slice).subspan(size, size), bias);  // i f g o
    }
  }
}

}  // namespace quadgate
