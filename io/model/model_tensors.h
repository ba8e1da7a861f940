#pragma once

#include <string>

#include "engine/model/parameters.h"
#include "io/model/model_description.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Where a file says what its model is, among its metadata.
inline constexpr const char* kModelKey = "quadgate";

/// A model and its weights.
struct Model {
  ModelDescription description;
  Parameters parameters;
};

/// The state_dict of a model, with its description among the metadata; or, of `only_rnn`, that of a
/// bare torch.nn.LSTM, GRU or RNN, without.
TensorFile tensors_of(const Model& model, bool only_rnn);

/// The model that tensors with PyTorch's names are of: the one described among the metadata, else
/// one that is found from names and shapes. The recurrent layers are those whose names end in
/// weight_ih_l0 and so on, whatever comes before; beside them an embedding, a convolution and a
/// head, whatever they are called. Without a head, output_size is 0. What shapes do not tell is
/// assumed: classification, tanh, no padding or pooling of a convolution, names "0", "1", ... of
/// classes and tokens. `name` stands for the file in messages. Throws FileError, naming tensors
/// that are missing, belong to nothing, or are of another shape.
Model model_of(const TensorFile& file, const std::string& name);

}  // namespace quadgate
