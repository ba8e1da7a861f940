#include "io/importers/conllu_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/conllu_words.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

/// Bytes of the end of a line that a text begins with.
std::size_t line_end_size(std::string_view text) {
  for (const std::string_view end : {"\n", "\r\n", "\r\r\n", "\r"}) {
    if (text.starts_with(end)) return end.size();
  }
  return 0;
}

/// Which of a word's columns holds it.
std::size_t place_of(ConlluColumn column) {
  switch (column) {
    case ConlluColumn::lemma:
      return 2;
    case ConlluColumn::upos:
      return 3;
    case ConlluColumn::xpos:
      return 4;
    case ConlluColumn::feats:
      return 5;
    case ConlluColumn::ner:
      break;
  }
  return 9;
}

}  // namespace

ConlluText::ConlluText(std::string_view text, const std::filesystem::path& path) : text_(text) {
  ConlluWords reader;
  bool begins = true;
  std::int64_t line = 0;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", place), text.size());
    const std::string_view content = text.substr(place, end - place);
    ++line;
    try {
      if (const auto columns = reader.read(content)) {
        words_.push_back(
            {(*columns)[1], line, std::exchange(begins, false), place, content.size()});
      }
    } catch (const InvalidArgument& error) {
      throw FileError(fmt::format("{}:{}: {}", path.string(), line, error.what()));
    }
    begins = begins || content.empty();
    place = end + line_end_size(text.substr(end));
  }
  if (words_.empty()) {
    throw FileError(path.string() + ": expected sentences in CoNLL-U, found none");
  }
}

std::string ConlluText::filled(ConlluColumn column, std::span<const std::string> values) const {
  std::string text;
  std::size_t done = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    text += text_.substr(done, words_[i].place - done);
    std::string_view rest = text_.substr(words_[i].place, words_[i].size);
    done = words_[i].place + words_[i].size;
    for (std::size_t place = 0; place < ConlluColumns().size(); ++place) {
      const std::string_view old = cut(rest, '\t');
      if (place > 0) text += '\t';
      if (place != place_of(column)) {
        text += old;
      } else {
        text += column == ConlluColumn::ner ? with_entity_tag(old, values[i]) : values[i];
      }
    }
  }
  return text.append(text_.substr(done));
}

}  // namespace quadgate
