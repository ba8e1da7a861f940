#pragma once

#include <filesystem>

#include "io/model/import_choices.h"

namespace quadgate::apps {

struct ImportArguments {
  std::filesystem::path input;       ///< the end of its name tells the kind
  std::filesystem::path output;      ///< checkpoint
  std::filesystem::path vocabulary;  ///< file of the tokens' names; empty: none
  std::filesystem::path classes;     ///< likewise of the classes
  std::filesystem::path like;        ///< data set or checkpoint that tells both; empty: none
  ImportChoices choices{};           ///< but for these names
  bool force = false;                ///< replace a data set
};

/// Makes a checkpoint of a model of another program, and prints what was assumed or left out.
void import_model(const ImportArguments& arguments);

}  // namespace quadgate::apps
