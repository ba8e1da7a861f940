#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/data/data_description.h"
#include "io/data/vocabulary.h"
#include "io/files/spool.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Sentences with a tag a word, or a tag a character, as importers read them.
struct TaggedSentences {
  explicit TaggedSentences(std::filesystem::path from = {}, const SpoolOptions& spool = {})
      : path(std::move(from)), tokens(spool), tags(spool), lengths(spool) {}

  std::int64_t size() const noexcept { return lengths.size(); }

  std::filesystem::path path;  ///< where they come from, for messages
  TextLevel level = TextLevel::words;
  std::string column{};  ///< the tags' own, of CoNLL-U: see DataDescription::tag_column
  std::vector<std::string>
      class_names{};            ///< by tag; those of what was read later begin with these
  std::int64_t unlabelled = 0;  ///< words whose tag is kIgnoreIndex
  SpooledIntegers tokens;       ///< [sum of lengths]: numbers of words or characters
  SpooledIntegers tags;         ///< [sum of lengths]
  SpooledIntegers lengths;      ///< [n]
  bool has_tags = true;         ///< else the data set has no y
};

/// A text, as importers read it.
struct TokenStream {
  explicit TokenStream(std::filesystem::path from = {}, const SpoolOptions& spool = {})
      : path(std::move(from)), tokens(spool) {}

  std::int64_t size() const noexcept { return tokens.size(); }

  std::filesystem::path path;  ///< where it comes from, for messages
  SpooledIntegers tokens;      ///< [L]: numbers of words or characters
};

/// Writes a tagging data set of tokens, atomically. `words` are those of all sentences. It draws
/// validation and test sentences at random (Philox), unless there are `valid` and `test`.
/// The train split alone makes the vocabulary (see Vocabulary), unless options.like has one. Throws
/// DataError if options.like lacks the class of a tag, or tags are in some files only;
/// InvalidArgument if a fraction or min_count is out of range, leaves a split empty or stands
/// beside that split's sentences; FileError if the file cannot be written. An existing file then
/// stays as it was.
PrepareSummary write_tagging(const std::filesystem::path& path, const WordList& words,
                             const TaggedSentences& data,
                             const std::optional<TaggedSentences>& valid,
                             const std::optional<TaggedSentences>& test,
                             const PrepareOptions& options);

/// Writes a language_model data set, atomically: `x` int32 [L] a split. Without `valid` and `test`
/// the splits follow each other in the text: train, valid, test. All else is as in write_tagging.
PrepareSummary write_language_model(const std::filesystem::path& path, const WordList& words,
                                    const TokenStream& data,
                                    const std::optional<TokenStream>& valid,
                                    const std::optional<TokenStream>& test,
                                    const PrepareOptions& options);

}  // namespace quadgate
