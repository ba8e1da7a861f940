#pragma once

#include <map>
#include <string>

#include "io/model/import_choices.h"
#include "io/model/model_description.h"
#include "io/model/part_finder.h"

namespace quadgate {

/// The description of a model of these parts. Metadata, `choices` and names that are numbers fill
/// in what shapes do not tell; what is assumed becomes a note of the parts. `name` stands for the
/// file in messages. Throws InvalidArgument for a choice that the model cannot be.
ModelDescription describe(FoundParts& parts, const std::map<std::string, std::string>& metadata,
                          const ImportChoices& choices, const std::string& name);

/// Changes a description as the choices say. Throws as `describe`.
void describe_as_chosen(ModelDescription& description, const ImportChoices& choices,
                        const std::string& name);

}  // namespace quadgate
