#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Whether the name is that of a Keras file of weights: "*.weights.h5".
bool is_keras_name(const std::filesystem::path& path);

/// Reads a Keras 3 model: its weights, as `model.save_weights("m.weights.h5")` writes them, or the
/// whole of it, "m.keras". Layers are an Embedding, a Conv1D, LSTM, GRU or SimpleRNN layers, plain
/// or Bidirectional, pooling over steps and a Dense. The tensors get PyTorch's names, gate order
/// and layout; where Keras has one bias and PyTorch two, it becomes bias_ih, and bias_hh is zeros.
/// What a file of weights does not tell is assumed, which the notes tell; the configuration of a
/// whole model is checked, and the metadata tell of it. `parts` says of a Dense that may stand
/// elsewhere that it is the "head". Throws FileError, naming the layer: each is used, or changes
/// nothing outside training, or is refused.
TensorFile read_keras_file(const std::filesystem::path& path,
                           const std::map<std::string, std::string>& parts = {});

/// The scale of a model's data, a number a feature, and of its outputs, a number each; empty where
/// there is none.
struct KerasScale {
  std::vector<double> mean{};
  std::vector<double> std{};
  std::vector<double> output_mean{};
  std::vector<double> output_std{};
};

/// Writes weights that `keras.Sequential([Normalization, Embedding, Conv1D, (Bidirectional)(LSTM)
/// ..., Dense, Normalization(invert=True)])` loads with `load_weights`, of these layers those that
/// the model has and the scale asks for. One bias is the sum of two. What the weights do not tell
/// are attributes of the root, which read_keras_file knows. Atomic (see replace_file). Throws
/// InvalidArgument for what Keras does not have (proj_size), FileError.
void write_keras_file(const std::filesystem::path& path, const ModelConfig& model,
                      const Parameters& parameters, const KerasScale& scale = {});

}  // namespace quadgate
