#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "io/model/import_choices.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// The parts of a model among the tensors of another program.
struct FoundParts {
  ModelConfig config{};  ///< what shapes tell of it
  /// By the names that they have in checkpoints; they belong to the file, or are `made`.
  std::map<std::string, const NamedTensor*> tensors{};
  std::list<NamedTensor> made{};     ///< zeros, for a bias that the file does not have
  std::vector<std::string> notes{};  ///< what was assumed or left out, a line each
};

/// Finds out by names and shapes what each tensor is. The recurrent layers are those with names
/// that end in weight_ih_l0 and so on; the weights and biases of an embedding, a convolution and a
/// head may have any names. Whole numbers that are no weights, as counters, are left out. `name`
/// stands for the file in messages. Throws FileError, naming tensors that are missing or belong to
/// nothing, and modules that may be one part or another where `choices` does not say.
FoundParts find_parts(const TensorFile& file, const ImportChoices& choices,
                      const std::string& name);

}  // namespace quadgate
