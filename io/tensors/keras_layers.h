#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/config.h"

/// What Keras calls the parts of a model, and how it lays out their weights.
namespace quadgate::keras {

/// What a layer is to a model here, in the order in which they follow each other.
enum class Kind : std::uint8_t {
  skipped,  ///< nothing outside training: Dropout, say, anywhere
  embedding,
  convolution,
  max_pooling,
  recurrent,
  pooling,     ///< over all steps
  dense,       ///< also a TimeDistributed one
  activation,  ///< a layer of its own, behind a convolution or Dense
};

/// One class of Keras's.
struct LayerClass {
  std::string_view name;   ///< "LSTM"
  std::string_view group;  ///< "lstm": of its weights in a file
  Kind kind;
};

/// Those that a model here may have.
std::span<const LayerClass> layer_classes() noexcept;

/// One layer of a model.
struct Layer {
  const LayerClass* type = nullptr;
  std::string group{};  ///< of its weights in the file: "layers/lstm_1"
  std::string name{};   ///< "layer 'lstm_1'", for messages
};

/// The layers of a model in their order.
struct Layers {
  std::vector<Layer> layers{};
  /// What a configuration tells of them (see kCellKey and those beside it); empty without one.
  std::map<std::string, std::string> metadata{};
  std::vector<std::string> notes{};  ///< what was assumed or left out, a line each
};

/// What Keras calls a cell, and PyTorch's gates in its order.
struct CellLayout {
  std::string_view layer;
  std::vector<std::size_t> gates;
};
CellLayout layout_of(Cell cell);

/// "lstm", "lstm_1", "lstm_2", ...
std::string numbered(std::string_view name, std::int64_t number);

/// [rows, columns] to [columns, rows].
std::vector<float> transposed(std::span<const float> values, std::size_t rows);
/// Rows of PyTorch's gates brought into Keras's order, or, if `back`, from it.
std::vector<float> with_gates(std::span<const float> values, const CellLayout& cell, bool back);
/// [a, b, c] to [c, b, a]: Conv1D's kernel is [C, I, K] in PyTorch, [K, I, C] in Keras.
std::vector<float> turned(std::span<const float> values, std::size_t a, std::size_t b,
                          std::size_t c);

}  // namespace quadgate::keras
