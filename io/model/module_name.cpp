#include "io/model/module_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

namespace quadgate {
namespace {

/// The last part of a module's name that is no number, in lower-case words.
std::vector<std::string> words_of(std::string_view module) {
  const std::size_t letter = module.find_last_not_of("0123456789.");
  module = module.substr(0, letter == std::string_view::npos ? 0 : letter + 1);
  std::vector<std::string> words(1);
  for (const char c : module.substr(module.rfind('.') + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalpha(byte) != 0) {
      words.back() += static_cast<char>(std::tolower(byte));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

}  // namespace

Calling calling_of(std::string_view module) {
  constexpr std::array<std::string_view, 12> kHead{"head",   "fc",      "linear",    "out",
                                                   "output", "decoder", "dense",     "classifier",
                                                   "logits", "proj",    "predictor", "tag"};
  constexpr std::array<std::string_view, 5> kFront{"in", "input", "inputs", "pre", "front"};
  const std::vector<std::string> words = words_of(module);
  const auto has_one_of = [&](const auto& list) {
    return std::ranges::any_of(
        words, [&](std::string_view word) { return std::ranges::find(list, word) != list.end(); });
  };
  const auto is_embedding = [](std::string_view word) {
    return word.find("emb") != std::string_view::npos || word == "wte";
  };
  if (std::ranges::any_of(words, is_embedding)) return Calling::embedding;
  return has_one_of(kHead) && !has_one_of(kFront) ? Calling::head : Calling::nothing;
}

}  // namespace quadgate
