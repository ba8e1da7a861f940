#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/config.h"

namespace quadgate {

/// What the user says of a model of another program, where its file does not tell.
struct ImportChoices {
  /// What a module is, by its name: "embedding", "conv", "rnn", "head", or "none", to leave it out.
  std::map<std::string, std::string> parts{};
  std::optional<Cell> nonlinearity{};     ///< rnn_tanh or rnn_relu, of a plain RNN
  std::optional<Pooling> pooling{};       ///< what the head reads of a sequence
  std::string task{};                     ///< as data sets name it, no forecast; empty: not said
  std::vector<std::string> vocabulary{};  ///< names of the tokens; empty: not said
  std::vector<std::string> classes{};     ///< names of the classes; empty: not said

  /// What `parts` says of a module; empty: not said.
  std::string part_of(const std::string& module) const {
    const auto found = parts.find(module);
    return found == parts.end() ? "" : found->second;
  }
};

}  // namespace quadgate
