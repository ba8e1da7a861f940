#pragma once

#include <filesystem>
#include <optional>

namespace quadgate::apps {

struct TagArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path input = "/dev/stdin";
  std::filesystem::path output = "-";  ///< "-" is stdout
  bool force = false;                  ///< replace a data set or checkpoint
  std::optional<int> threads;
};

/// Writes the sentences of a text, a line each, with a tag a word. Where input or output are called
/// .conllu, it is CoNLL-U, and so is what is written: with the predicted column filled, and all
/// else as in the input. "-" as the input is stdin. Lines of a pipe are answered as they come.
void tag(TagArguments arguments);

}  // namespace quadgate::apps
