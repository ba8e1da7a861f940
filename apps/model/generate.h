#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "apps/model/token_sampler.h"

namespace quadgate::apps {

struct GenerateArguments {
  std::filesystem::path checkpoint;
  std::string prompt;  ///< what the text begins with
  std::int64_t length = 500;
  SamplingOptions sampling{};
};

/// Prints text that a language model makes up.
void generate(const GenerateArguments& arguments);

}  // namespace quadgate::apps
