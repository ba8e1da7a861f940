#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace quadgate::apps {

struct GenerateArguments {
  std::filesystem::path checkpoint;
  std::string prompt;  ///< what the text begins with
  std::int64_t length = 500;
  double temperature = 1;
  std::uint64_t seed = 1;
};

/// Prints text that a language model makes up.
void generate(const GenerateArguments& arguments);

}  // namespace quadgate::apps
