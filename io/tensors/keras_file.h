#pragma once

#include <filesystem>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Whether a file is one of Keras by its name: "*.weights.h5".
bool is_keras_name(const std::filesystem::path& path);

/// Reads the weights of a Keras 3 model, as `model.save_weights("m.weights.h5")` writes them: LSTM,
/// GRU (reset_after) or SimpleRNN layers, plain or Bidirectional, in the order of their names, an
/// Embedding, a Conv1D and a Dense layer where they are there, under PyTorch's names, in its gate
/// order and layout; the cell is among the metadata (kCellKey). Keras has one bias where PyTorch
/// has two: it becomes bias_ih, and bias_hh zeros. Throws FileError.
TensorFile read_keras_file(const std::filesystem::path& path);

/// Writes weights that `keras.Sequential([Embedding, Conv1D, (Bidirectional)(LSTM) ..., Dense])`
/// loads with `load_weights`; biases as their sums. Atomic (see replace_file). Throws
/// InvalidArgument for what Keras does not have (proj_size), FileError.
void write_keras_file(const std::filesystem::path& path, const ModelConfig& model,
                      const Parameters& parameters);

}  // namespace quadgate
