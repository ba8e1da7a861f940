#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensors/keras_layers.h"

namespace quadgate::keras {

/// A layer and its settings as text, by their paths in its configuration: "activation",
/// "layer/config/units", "strides/0". What is null is not there.
struct ConfiguredLayer {
  Layer layer{};
  std::map<std::string, std::string> settings{};
};

/// The layers of a Sequential or functional model in their order, by its configuration (the
/// config.json of a .keras file). Models within are opened up. `name` stands for the file in
/// messages. Throws FileError, naming the layer, unless the layers are of layer_classes and stand
/// one behind the other.
std::vector<ConfiguredLayer> read_config(std::string_view json_text, const std::string& name);

/// The same layers, and what their settings tell. Throws FileError, naming layer and setting, if a
/// layer computes what no model here does.
Layers check_layers(const std::vector<ConfiguredLayer>& layers, const std::string& name);

}  // namespace quadgate::keras
