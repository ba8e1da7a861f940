#include "io/importers/plain_text.h"

#include <string>

#include "engine/error.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"
#include "io/vocabulary.h"

namespace quadgate {
namespace {

template <typename Body>
void for_each_character(std::string_view text, Body body) {
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    body(text.substr(0, size));
    text.remove_prefix(size);
  }
}

template <typename Body>
void for_each_word(std::string_view text, Body body) {
  constexpr std::string_view kBlanks = " \t\r";
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    for (line = trim(line); !line.empty(); line = trim(line)) {
      const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
      body(word);
      line.remove_prefix(word.size());
    }
    body(kEndOfLine);
  }
}

}  // namespace

TokenStream read_plain_text(std::span<const std::filesystem::path> paths, TextLevel level) {
  TokenStream stream;
  WordList words;
  const auto add = [&](std::string_view word) { stream.tokens.push_back(words.number(word)); };
  for (const auto& path : paths) {
    if (stream.path.empty()) stream.path = path;
    const std::string content = read_utf8(path);
    if (content.empty()) throw FileError(path.string() + ": expected text, found none");
    level == TextLevel::words ? for_each_word(content, add) : for_each_character(content, add);
  }
  stream.words = words.words();
  return stream;
}

}  // namespace quadgate
