#include "io/token_writer.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "engine/error.h"
#include "io/data_description.h"
#include "io/dataset_parts.h"
#include "io/hdf5.h"
#include "io/replace_file.h"
#include "io/vocabulary.h"

namespace quadgate {
namespace {

/// The tokens of some sentences.
std::vector<std::int32_t> select(const TaggedSentences& data, std::span<const std::int64_t> rows) {
  std::vector<std::int32_t> tokens;
  for (const std::int64_t row : rows) {
    const auto i = static_cast<std::size_t>(row);
    tokens.insert(tokens.end(), data.tokens.begin() + data.offsets[i],
                  data.tokens.begin() + data.offsets[i + 1]);
  }
  return tokens;
}

/// `numbers` of words as tokens of the vocabulary, `tokens` being those of the words.
std::vector<std::int32_t> translate(std::span<const std::int32_t> numbers,
                                    const std::vector<std::int32_t>& tokens) {
  std::vector<std::int32_t> translated;
  translated.reserve(numbers.size());
  for (const std::int32_t number : numbers) {
    translated.push_back(tokens[static_cast<std::size_t>(number)]);
  }
  return translated;
}

void write_split(hdf5::File& file, const std::string& name, const TaggedSentences& data,
                 std::span<const std::int64_t> rows, const Vocabulary& vocabulary) {
  std::vector<std::int64_t> tags;
  std::vector<std::int64_t> offsets{0};
  for (const std::int64_t row : rows) {
    const auto i = static_cast<std::size_t>(row);
    tags.insert(tags.end(), data.tags.begin() + data.offsets[i],
                data.tags.begin() + data.offsets[i + 1]);
    offsets.push_back(std::ssize(tags));
  }
  const auto tokens = translate(select(data, rows), vocabulary.tokens_of(data.words));
  file.create_group(name);
  file.write(name + "/x", std::array{offsets.back()}, tokens);
  file.write(name + "/offsets", std::array{std::ssize(offsets)}, offsets);
  file.write(name + "/y", std::array{offsets.back()}, tags);
}

}  // namespace

PrepareSummary write_tagging(const std::filesystem::path& path, const TaggedSentences& data,
                             const std::optional<TaggedSentences>& valid,
                             const std::optional<TaggedSentences>& test,
                             const PrepareOptions& options) {
  PrepareSummary sizes =
      divide(data.size(), test ? std::optional(test->size()) : std::nullopt, options);
  if (valid) {
    if (options.valid_fraction != 0) {
      throw InvalidArgument(
          fmt::format("valid_fraction: expected none beside a validation file, found {}",
                      options.valid_fraction));
    }
    sizes.valid = valid->size();
  }
  const auto parts = draw_parts({sizes.train, valid ? 0 : sizes.valid, test ? 0 : sizes.test});
  const Vocabulary vocabulary(data.words, select(data, parts[0]), options.min_count);
  DataDescription description;
  description.token_level = data.level;
  description.class_names = data.class_names;
  description.token_names = vocabulary.names();
  hdf5::File file = create_dataset(path, "tagging", description);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].empty()) write_split(file, kSplitNames.at(i), data, parts[i], vocabulary);
  }
  if (valid) write_split(file, "valid", *valid, all_rows(valid->size()), vocabulary);
  if (test) write_split(file, "test", *test, all_rows(test->size()), vocabulary);
  replace_file(path, file.image());
  sizes.vocabulary = std::ssize(vocabulary.names());
  return sizes;
}

PrepareSummary write_language_model(const std::filesystem::path& path, const TokenStream& data,
                                    const std::optional<TokenStream>& test,
                                    const PrepareOptions& options) {
  PrepareSummary sizes =
      divide(data.size(), test ? std::optional(test->size()) : std::nullopt, options);
  const std::span<const std::int32_t> numbers = data.tokens;
  const Vocabulary vocabulary(data.words, numbers.first(static_cast<std::size_t>(sizes.train)),
                              options.min_count);
  DataDescription description;
  description.token_names = vocabulary.names();
  hdf5::File file = create_dataset(path, "language_model", description);
  const auto write = [&](const std::string& name, std::span<const std::int32_t> part,
                         const std::vector<std::string>& words) {
    if (part.empty()) return;
    file.create_group(name);
    file.write(name + "/x", std::array{std::ssize(part)},
               translate(part, vocabulary.tokens_of(words)));
  };
  std::size_t begin = 0;
  std::size_t part = 0;
  for (const std::int64_t size : {sizes.train, sizes.valid, test ? 0 : sizes.test}) {
    const auto count = static_cast<std::size_t>(size);
    write(kSplitNames.at(part++), numbers.subspan(begin, count), data.words);
    begin += count;
  }
  if (test) write("test", test->tokens, test->words);
  replace_file(path, file.image());
  sizes.vocabulary = std::ssize(vocabulary.names());
  return sizes;
}

}  // namespace quadgate
