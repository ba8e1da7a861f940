#include "io/tensors/keras_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace quadgate::keras {
namespace {

constexpr std::array<LayerClass, 22> kClasses{{
    {"InputLayer", "input_layer", Kind::skipped},
    {"Dropout", "dropout", Kind::skipped},
    {"SpatialDropout1D", "spatial_dropout1d", Kind::skipped},
    {"GaussianDropout", "gaussian_dropout", Kind::skipped},
    {"AlphaDropout", "alpha_dropout", Kind::skipped},
    {"GaussianNoise", "gaussian_noise", Kind::skipped},
    {"ActivityRegularization", "activity_regularization", Kind::skipped},
    {"Identity", "identity", Kind::skipped},
    {"Embedding", "embedding", Kind::embedding},
    {"Conv1D", "conv1d", Kind::convolution},
    {"MaxPooling1D", "max_pooling1d", Kind::max_pooling},
    {"LSTM", "lstm", Kind::recurrent},
    {"GRU", "gru", Kind::recurrent},
    {"SimpleRNN", "simple_rnn", Kind::recurrent},
    {"Bidirectional", "bidirectional", Kind::recurrent},
    {"GlobalAveragePooling1D", "global_average_pooling1d", Kind::pooling},
    {"GlobalMaxPooling1D", "global_max_pooling1d", Kind::pooling},
    {"Dense", "dense", Kind::dense},
    {"TimeDistributed", "time_distributed", Kind::dense},
    {"Activation", "activation", Kind::activation},
    {"Softmax", "softmax", Kind::activation},
    {"ReLU", "re_lu", Kind::activation},
}};

}  // namespace

std::span<const LayerClass> layer_classes() noexcept { return kClasses; }

CellLayout layout_of(Cell cell) {
  switch (cell) {
    case Cell::lstm:
      return {"lstm", {0, 1, 2, 3}};  // i f c o, which are PyTorch's i f g o
    case Cell::gru:
      return {"gru", {1, 0, 2}};  // z r h
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return {"simple_rnn", {0}};
}

std::string numbered(std::string_view name, std::int64_t number) {
  return number == 0 ? std::string(name) : fmt::format("{}_{}", name, number);
}

std::vector<float> transposed(std::span<const float> values, std::size_t rows) {
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i % columns * rows + i / columns] = values[i];
  }
  return result;
}

std::vector<float> with_gates(std::span<const float> values, const CellLayout& cell, bool back) {
  const std::size_t size = values.size() / cell.gates.size();
  std::vector<float> result(values.size());
  for (std::size_t gate = 0; gate < cell.gates.size(); ++gate) {
    const std::size_t from = back ? gate : cell.gates[gate];
    const std::size_t to = back ? cell.gates[gate] : gate;
    std::ranges::copy(values.subspan(from * size, size),
                      result.begin() + static_cast<std::ptrdiff_t>(to * size));
  }
  return result;
}

std::vector<float> turned(std::span<const float> values, std::size_t a, std::size_t b,
                          std::size_t c) {
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t x = i / (b * c);
    const std::size_t y = i / c % b;
    const std::size_t z = i % c;
    result[(z * b + y) * a + x] = values[i];
  }
  return result;
}

}  // namespace quadgate::keras
