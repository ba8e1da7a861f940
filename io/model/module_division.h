#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/model/import_choices.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Tensors NAME.weight and NAME.bias.
struct Module {
  std::string name{};
  const NamedTensor* weight = nullptr;
  const NamedTensor* bias = nullptr;
  bool before_rnn = false;  ///< as its program made them

  std::span<const std::int64_t> shape() const noexcept { return weight->shape; }
  std::string text() const;  ///< "'fc' [2, 5]", for messages
};

/// The tensors of a file, without what wrappers put in front of their names and without those that
/// the choices leave out.
struct DividedTensors {
  using Entry = std::pair<std::string, const NamedTensor*>;

  std::map<std::string, const NamedTensor*> recurrent{};  ///< "weight_ih_l0", ...
  std::vector<Module> modules{};                          ///< as they come in the file
  std::vector<Entry> biases{};                            ///< NAME.bias without a NAME.weight
  std::vector<Entry> rest{};                              ///< that belong to none of these
  std::vector<std::string> left_out{};
};

/// Goes by names alone. `name` stands for the file in messages. Throws FileError unless there is
/// one stack of recurrent layers.
DividedTensors divide_tensors(const TensorFile& file, const ImportChoices& choices,
                              const std::string& name);

/// Some of several names, for a message: "'a', 'b' and 3 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace quadgate
