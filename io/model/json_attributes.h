#pragma once

#include <string>

#include "io/model/model_description.h"

namespace quadgate {

/// What a checkpoint says of its model, beside the weights, as a JSON object: for formats that have
/// a place for texts.
std::string to_json(const ModelDescription& model);

/// The inverse; `name` stands for the file in messages. Throws FileError.
ModelDescription model_from_json(const std::string& text, const std::string& name);

}  // namespace quadgate
