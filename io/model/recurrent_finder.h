#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "io/model/import_choices.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// What the recurrent layers of a file are, by their tensors "weight_ih_l0", ...; what is assumed
/// goes to `notes`. `name` stands for the file in messages. Throws FileError, naming the tensor.
RecurrentConfig find_recurrent(const std::map<std::string, const NamedTensor*>& tensors,
                               const std::map<std::string, std::string>& metadata,
                               const ImportChoices& choices, const std::string& name,
                               std::vector<std::string>& notes);

}  // namespace quadgate
