#pragma once

#include <string>

#include "engine/model/config.h"
#include "io/data/data_description.h"

namespace quadgate {

class AttributeReader;
class AttributeWriter;

/// What a checkpoint says of its model beside the weights.
struct ModelDescription {
  ModelConfig config{};
  DataDescription data{};  ///< names, standardization and window of the training data

  bool operator==(const ModelDescription&) const = default;
};

/// Reads what write_model_description wrote. Files of older programs lack some attributes, which
/// get the values that those programs meant. `name` stands for the file in messages. Throws
/// FileError, also if the model is impossible (see validate), or if tokens or classes lack names.
ModelDescription read_model_description(const AttributeReader& from, const std::string& name);

/// Writes config and data as attributes.
void write_model_description(AttributeWriter& to, const ModelDescription& model);

/// Throws FileError if the model has far more weights than a file has numbers: a damaged
/// description must not take all memory.
void expect_weights(const ModelConfig& model, std::int64_t numbers, const std::string& name);

}  // namespace quadgate
