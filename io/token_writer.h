#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/data_description.h"
#include "io/dataset_writer.h"

namespace quadgate {

/// Sentences with a tag a word in memory, as importers read them.
struct TaggedSentences {
  std::filesystem::path path{};  ///< that they were read from, for messages
  TextLevel level = TextLevel::words;
  std::vector<std::string> class_names{};  ///< by tag
  std::vector<std::string> words{};        ///< or characters, each once
  std::vector<std::int32_t> tokens{};      ///< [sum of lengths]: numbers in `words`
  std::vector<std::int64_t> tags{};        ///< [sum of lengths]
  std::vector<std::int64_t> offsets{0};  ///< [n + 1]: sentence i is tokens offsets[i]..offsets[i+1]

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

/// A text in memory, as importers read it.
struct TokenStream {
  std::filesystem::path path{};        ///< that it was read from, for messages
  std::vector<std::string> words{};    ///< each once
  std::vector<std::int32_t> tokens{};  ///< [L]: numbers in `words`

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(tokens.size()); }
};

/// Writes a tagging data set of tokens, atomically. Validation and test sentences are drawn at
/// random (Philox, seed 1), unless there are `valid` and `test`. The vocabulary is that of the
/// train split (see Vocabulary). Throws InvalidArgument if a fraction or min_count is out of range,
/// leaves a split empty or stands beside that split's sentences; FileError if the file cannot be
/// written. An existing file then stays as it was.
PrepareSummary write_tagging(const std::filesystem::path& path, const TaggedSentences& data,
                             const std::optional<TaggedSentences>& valid,
                             const std::optional<TaggedSentences>& test,
                             const PrepareOptions& options);

/// Writes a language_model data set, atomically: `x` int32 [L] a split. The splits follow each
/// other in the text: train, valid, test; unless there is a `test`. Else like write_tagging.
PrepareSummary write_language_model(const std::filesystem::path& path, const TokenStream& data,
                                    const std::optional<TokenStream>& test,
                                    const PrepareOptions& options);

}  // namespace quadgate
