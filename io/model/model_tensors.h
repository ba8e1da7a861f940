#pragma once

#include <string>
#include <vector>

#include "engine/model/parameters.h"
#include "io/model/import_choices.h"
#include "io/model/model_description.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// The key of the metadata that describes the model.
inline constexpr const char* kModelKey = "quadgate";

/// A model and its weights.
struct Model {
  ModelDescription description;
  Parameters parameters;
  std::vector<std::string> notes{};  ///< what was assumed or left out at import, a line each
};

/// The state_dict of a model, with its description among the metadata. With `only_rnn`, the
/// state_dict of a bare torch.nn.LSTM, GRU or RNN, without description.
TensorFile tensors_of(const Model& model, bool only_rnn);

/// The model of tensors with PyTorch's names. The metadata describe it, or else names and shapes
/// tell it (see find_parts), and `choices` what they do not. Without a head, output_size is 0. What
/// nothing tells is assumed, and a note of the model: the task is classification from the last
/// step, an RNN's nonlinearity tanh, a convolution has neither padding nor pooling; classes and
/// tokens are called "0", "1", ... `name` stands for the file in messages. Throws FileError, naming
/// tensors that are missing, belong to nothing, or have another shape, and InvalidArgument for a
/// choice that the model cannot be.
Model model_of(const TensorFile& file, const std::string& name, const ImportChoices& choices = {});

}  // namespace quadgate
