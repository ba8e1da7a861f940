// Sweeps: tagging and language-model data sets with validation and test
// parts by fraction and by file, read back; a vocabulary that is larger than 64 KiB of names.
// Tolerance: none.

#include "io/prepare/token_writer.h"

#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

using TokenWriterTest = testing::FolderTest;

TaggedSentences sentences(WordList& words, const std::vector<std::vector<std::string>>& texts) {
  TaggedSentences data("input");
  data.class_names = {"no", "yes"};
  for (const auto& text : texts) {
    for (const auto& word : text) {
      data.tokens.push_back(words.number(word));
      data.tags.push_back(static_cast<std::int64_t>(word.size() % 2));
    }
    data.lengths.push_back(std::ssize(text));
  }
  return data;
}

TokenStream stream(WordList& words, const std::string& characters) {
  TokenStream data("input");
  for (const char character : characters) {
    data.tokens.push_back(words.number(std::string(1, character)));
  }
  return data;
}

std::vector<std::int32_t> tokens_of(const hdf5::File& file, const std::string& name) {
  const hdf5::Array array = file.array(name);
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(array.size()));
  array.read(0, array.size(), tokens);
  return tokens;
}

Batch read_sentences(Split& split) {
  Batch batch;
  Loader loader(split, split.size());
  loader.next(batch);
  return batch;
}

TEST_F(TokenWriterTest, WritesTaggedSentences) {
  WordList words;
  const auto data = sentences(words, {{"the", "dog"}, {"dog", "sees", "the", "cat"}});
  const PrepareSummary sizes = write_tagging(
      path("a.h5"), words, data, {}, sentences(words, {{"mouse", "dog"}}), {.min_count = 2});
  EXPECT_EQ(sizes.train, 2);
  EXPECT_EQ(sizes.test, 1);
  EXPECT_EQ(sizes.vocabulary, 3);
  Dataset dataset(path("a.h5"));
  EXPECT_EQ(dataset.task(), Task::tagging);
  EXPECT_THAT(dataset.description().token_names, ElementsAre("<unk>", "dog", "the"));
  EXPECT_THAT(dataset.description().class_names, ElementsAre("no", "yes"));
  const Batch train = read_sentences(dataset.split("train"));
  EXPECT_THAT(train.tokens, ElementsAre(2, 1, 1, 0, 2, 0));
  EXPECT_THAT(train.labels, ElementsAre(1, 1, 1, 0, 1, 1));
  EXPECT_THAT(train.offsets, ElementsAre(0, 2, 6));
  EXPECT_THAT(read_sentences(dataset.split("test")).tokens, ElementsAre(0, 1));
}

TEST_F(TokenWriterTest, DrawsSentencesAndCountsThoseOfTraining) {
  std::vector<std::vector<std::string>> texts(20);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = {std::string(i + 1, 'x')};
  const auto options = PrepareOptions{.valid_fraction = 0.25, .test_fraction = 0.1};
  WordList words;
  const auto data = sentences(words, texts);
  const PrepareSummary sizes = write_tagging(path("a.h5"), words, data, {}, {}, options);
  EXPECT_EQ(sizes.train, 13);
  EXPECT_EQ(sizes.valid, 5);
  EXPECT_EQ(sizes.test, 2);
  EXPECT_EQ(sizes.vocabulary, 14);
  Dataset dataset(path("a.h5"));
  EXPECT_THAT(read_sentences(dataset.split("valid")).tokens, ::testing::Each(0)) << "unknown words";
  EXPECT_THAT(read_sentences(dataset.split("train")).tokens, ::testing::Each(::testing::Gt(0)));
  EXPECT_THAT(message_of<InvalidArgument>(
                  [&] { write_tagging(path("a.h5"), words, data, {}, {}, {.valid_fraction = 1}); }),
              HasSubstr("--valid-fraction"));
}

TEST_F(TokenWriterTest, TakesSentencesAsTheValidSplit) {
  WordList words;
  TaggedSentences data = sentences(words, {{"a", "b"}, {"b"}});
  data.level = TextLevel::characters;
  std::optional<TaggedSentences> valid = sentences(words, {{"c", "b", "a"}});
  const PrepareSummary sizes =
      write_tagging(path("a.h5"), words, data, valid, {}, {.test_fraction = 0.5});
  EXPECT_EQ(sizes.train, 1);
  EXPECT_EQ(sizes.valid, 1);
  EXPECT_EQ(sizes.test, 1);
  Dataset dataset(path("a.h5"));
  EXPECT_EQ(dataset.description().token_level, TextLevel::characters);
  EXPECT_EQ(read_sentences(dataset.split("valid")).tokens.front(), 0) << "c is unknown";
  EXPECT_THAT(read_sentences(dataset.split("valid")).labels, ElementsAre(1, 1, 1));
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                write_tagging(path("a.h5"), words, data, valid, {}, {.valid_fraction = 0.5});
              }),
              HasSubstr("--valid-fraction: expected none beside a validation file, found 0.5"));
}

TEST_F(TokenWriterTest, WritesAStreamASplit) {
  WordList words;
  const auto data = stream(words, "abababcbzz");
  const PrepareSummary sizes = write_language_model(path("a.h5"), words, data, {}, {},
                                                    {.valid_fraction = 0.2, .test_fraction = 0.1});
  EXPECT_EQ(sizes.train, 7);
  const auto file = hdf5::File::open(path("a.h5"));
  EXPECT_EQ(file.read_string("", "task"), "language_model");
  EXPECT_THAT(file.read_strings("", "token_names"), ElementsAre("<unk>", "a", "b", "c"));
  EXPECT_THAT(tokens_of(file, "train/x"), ElementsAre(1, 2, 1, 2, 1, 2, 3));
  EXPECT_THAT(tokens_of(file, "valid/x"), ElementsAre(2, 0));
  EXPECT_THAT(tokens_of(file, "test/x"), ElementsAre(0));
}

TEST_F(TokenWriterTest, TakesStreamsAsTheOtherSplits) {
  WordList words;
  const auto data = stream(words, "aab");
  const PrepareSummary sizes = write_language_model(path("a.h5"), words, data, stream(words, "ba"),
                                                    stream(words, "xba"), {.min_count = 2});
  EXPECT_EQ(sizes.train, 3);
  EXPECT_EQ(sizes.valid, 2);
  EXPECT_EQ(sizes.test, 3);
  EXPECT_EQ(sizes.vocabulary, 2);
  const auto file = hdf5::File::open(path("a.h5"));
  EXPECT_THAT(tokens_of(file, "train/x"), ElementsAre(1, 1, 0));
  EXPECT_THAT(tokens_of(file, "valid/x"), ElementsAre(0, 1));
  EXPECT_THAT(tokens_of(file, "test/x"), ElementsAre(0, 0, 1));
}

TEST_F(TokenWriterTest, AVocabularyMayBeLarge) {
  std::vector<std::string> text(30000);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = "word" + std::to_string(i);
  WordList words;
  write_tagging(path("a.h5"), words, sentences(words, {text}), {}, {}, {});
  Dataset dataset(path("a.h5"));
  EXPECT_EQ(dataset.vocabulary_size(), 30001);
  EXPECT_EQ(dataset.description().token_names[2], "word1");
}

}  // namespace
}  // namespace quadgate
