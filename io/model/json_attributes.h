#pragma once

#include <string>

#include "io/model/model_description.h"

namespace quadgate {

/// The description of a model as a JSON object, for formats that have a place for texts.
std::string to_json(const ModelDescription& model);

/// The inverse of to_json. `name` stands for the file in messages. Throws FileError.
ModelDescription model_from_json(const std::string& text, const std::string& name);

}  // namespace quadgate
