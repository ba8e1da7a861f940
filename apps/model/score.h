#pragma once

#include <filesystem>
#include <string>

namespace quadgate::apps {

struct ScoreArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path text;  ///< "-": standard input
  std::string prompt;          ///< what comes before the text, itself not scored
  bool json = false;
};

/// Prints how well a language model foresees the tokens of a text: the surprisal of each in bits,
/// then the sum, bits per character and perplexity.
void score(const ScoreArguments& arguments);

}  // namespace quadgate::apps
