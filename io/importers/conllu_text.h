#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/conllu_column.h"

namespace quadgate {

/// A whole file of CoNLL-U, to fill a column of it.
class ConlluText {
 public:
  struct Word {
    std::string_view form;
    std::int64_t line;  ///< from 1
    bool begins;        ///< a sentence
    std::size_t place;  ///< of its line in the text
    std::size_t size;   ///< of its line, without its end
  };

  /// `text`, of a file at `path`, must outlive it. Throws FileError ("a.conllu:17: ...") if it is
  /// not CoNLL-U or has no words.
  ConlluText(std::string_view text, const std::filesystem::path& path);

  const std::vector<Word>& words() const noexcept { return words_; }
  /// The text with values [words] in the column; all else (comments, multiword tokens, empty nodes,
  /// ends of lines) is as it was. Of NER, MISC has NER=..., none of O, instead of what it had
  /// of entities.
  std::string filled(ConlluColumn column, std::span<const std::string> values) const;

 private:
  std::string_view text_;
  std::vector<Word> words_;
};

}  // namespace quadgate
