#include "engine/model/initialization.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/model/orthonormal.h"
#include "engine/threads/parallel_tiles.h"

namespace quadgate {
namespace {

bool is_called(const ParameterSlice& slice, const char* name) {
  return slice.name.find(name) != std::string::npos;
}

}  // namespace

void make_orthogonal(const RecurrentConfig& config, Parameters& parameters, std::uint64_t seed,
                     Arena* arena) {
  const auto rows = static_cast<std::size_t>(config.hidden_size);
  const auto columns = static_cast<std::size_t>(config.h_size());
  ParameterEditor editor = parameters.edit();
  std::vector<std::span<float>> gates;
  for (const auto& slice : parameters.slices()) {
    if (!is_called(slice, "weight_hh_l")) continue;
    const auto weights = editor.value(slice);
    for (std::size_t begin = 0; begin < weights.size(); begin += rows * columns) {
      gates.push_back(weights.subspan(begin, rows * columns));
    }
  }
  for_each_index(arena, std::ssize(gates), [&](std::int64_t gate) {
    const Orthonormal vectors(columns, rows, seed, static_cast<std::uint32_t>(gate));
    float* to = gates[static_cast<std::size_t>(gate)].data();
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        *to++ = static_cast<float>(vectors.value(column, row));
      }
    }
  });
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
