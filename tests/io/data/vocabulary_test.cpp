// Sweeps: words of one byte and of many, longer than what is kept together, and so many that the
// table grows; vocabularies by count.
// Tolerance: none.

#include "io/data/vocabulary.h"

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

TEST(WordListTest, NumbersWordsInTheirOrder) {
  WordList words;
  const std::string long_word(100'000, 'x');
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(words.number("b"), 0);
    EXPECT_EQ(words.number("樹"), 1);
    EXPECT_EQ(words.number(long_word), 2);
    EXPECT_EQ(words.number(""), 3);
    EXPECT_EQ(words.number("\xFF"), 4);
    EXPECT_EQ(words.number("a"), 5);
  }
  EXPECT_EQ(words.size(), 6);
  EXPECT_EQ(words[1], "樹");
  EXPECT_EQ(words[2], long_word);
  EXPECT_EQ(words[3], "");
}

TEST(WordListTest, FindsManyWordsAgain) {
  constexpr int kCount = 100'000;
  WordList words;
  for (int time = 0; time < 2; ++time) {
    for (int i = 0; i < kCount; ++i) ASSERT_EQ(words.number("word" + std::to_string(i)), i);
  }
  EXPECT_EQ(words.size(), kCount);
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(words[i], "word" + std::to_string(i));
}

TEST(VocabularyTest, HoldsFrequentWordsAndTheUnknownOne) {
  WordList words;
  for (const char* word : {"b", "rare", "a", "<unk>", "c", "absent"}) words.number(word);
  const std::vector<std::int64_t> counts{2, 1, 2, 4, 3, 0};
  const Vocabulary vocabulary(words, counts, 2);
  EXPECT_THAT(vocabulary.names(), ElementsAre("<unk>", "c", "a", "b"));
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < words.size(); ++i) tokens.push_back(vocabulary.token_of(i));
  EXPECT_THAT(tokens, ElementsAre(3, 0, 2, 0, 1, 0));
  EXPECT_EQ(Vocabulary(words, counts, 1).names().size(), 5);
  EXPECT_THAT(message_of<InvalidArgument>([&] { Vocabulary(words, counts, 0); }),
              HasSubstr("min_count: expected at least 1, found 0"));
}

}  // namespace
}  // namespace quadgate
