#pragma once

#include <filesystem>
#include <optional>

namespace quadgate::apps {

struct TagArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path input = "/dev/stdin";
  std::optional<int> threads;
};

/// Prints the sentences of a text, a line each, with a tag a word.
void tag(const TagArguments& arguments);

}  // namespace quadgate::apps
