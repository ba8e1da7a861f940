#pragma once

#include <string>

#include "engine/model/parameters.h"
#include "io/model/model_description.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// The key of the metadata that describes the model.
inline constexpr const char* kModelKey = "quadgate";

/// A model and its weights.
struct Model {
  ModelDescription description;
  Parameters parameters;
};

/// The state_dict of a model, with its description among the metadata. With `only_rnn`, the
/// state_dict of a bare torch.nn.LSTM, GRU or RNN, without description.
TensorFile tensors_of(const Model& model, bool only_rnn);

/// The model of tensors with PyTorch's names. The metadata describe it, or else names and shapes
/// tell it: the recurrent layers are those with names that end in weight_ih_l0 and so on;
/// embedding, convolution and head may have any names. Without a head, output_size is 0. Shapes do
/// not tell all: the task is classification, an RNN's nonlinearity tanh, a convolution has neither
/// padding nor pooling, classes and tokens are called "0", "1", ... `name` stands for the file in
/// messages. Throws FileError, naming tensors that are missing, belong to nothing, or have another
/// shape.
Model model_of(const TensorFile& file, const std::string& name);

}  // namespace quadgate
