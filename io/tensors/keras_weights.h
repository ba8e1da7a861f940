#pragma once

#include <map>
#include <string>

#include "io/hdf5/file.h"
#include "io/tensors/keras_layers.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::keras {

/// The layers that a file has weights of, in the order that models here have. Throws FileError,
/// naming the layer, if one is of another kind, or if models here do not have all of them.
Layers list_layers(const hdf5::File& file);

/// Reads the weights of these layers; without metadata, the layers are of a file of weights alone.
/// See read_keras_file.
TensorFile read_weights(const hdf5::File& file, const Layers& model,
                        const std::map<std::string, std::string>& parts);

}  // namespace quadgate::keras
