#pragma once

#include <filesystem>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Whether the name is that of a Keras file: "*.weights.h5".
bool is_keras_name(const std::filesystem::path& path);

/// Reads the weights of a Keras 3 model, as `model.save_weights("m.weights.h5")` writes them: LSTM,
/// GRU (reset_after) or SimpleRNN layers, plain or Bidirectional, in the order of their names, and
/// an Embedding, a Conv1D and a Dense layer if there are such. The tensors get PyTorch's names,
/// gate order and layout; the metadata tell the cell (kCellKey). Where Keras has one bias and
/// PyTorch two, it becomes bias_ih, and bias_hh is zeros. Throws FileError.
TensorFile read_keras_file(const std::filesystem::path& path);

/// Writes weights that `keras.Sequential([Embedding, Conv1D, (Bidirectional)(LSTM) ..., Dense])`
/// loads with `load_weights`. One bias is the sum of two. Atomic (see replace_file). Throws
/// InvalidArgument for what Keras does not have (proj_size), FileError.
void write_keras_file(const std::filesystem::path& path, const ModelConfig& model,
                      const Parameters& parameters);

}  // namespace quadgate
