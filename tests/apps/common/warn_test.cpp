// Messages at the edges of what one line holds. No tolerance: text.

#include "apps/common/warn.h"

#include <gtest/gtest.h>

namespace quadgate::apps {
namespace {

TEST(OneLineTest, LeavesWhatFits) {
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("a.h5: a model's key: expected 'x', found 'y'"),
            "a.h5: a model's key: expected 'x', found 'y'");
}

TEST(OneLineTest, HasNoControlCharacters) {
  EXPECT_EQ(one_line("found 'a\nb\x1b[31m\x7f\tc'"), "found 'a b [31m  c'");
  EXPECT_EQ(one_line("gr\u00fc\u00dfe"), "gr\u00fc\u00dfe");
}

TEST(OneLineTest, ShortensAQuoteAndKeepsWhatFollows) {
  const std::string longest(200, 'x');
  EXPECT_EQ(one_line("found '" + longest + "' in a"), "found '" + longest + "' in a");
  EXPECT_EQ(one_line("found '" + longest + "y z's', in a"), "found '" + longest + "...', in a");
  EXPECT_EQ(one_line("found '" + longest + longest), "found '" + longest + "...");
}

TEST(OneLineTest, CutsNoCharacterInTwo) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "\u00fc";
  EXPECT_EQ(one_line("'a" + text + "'"), "'a" + text.substr(0, 198) + "...'");
}

TEST(OneLineTest, EndsSomewhere) { EXPECT_EQ(one_line(std::string(5000, 'x')).size(), 2003); }

}  // namespace
}  // namespace quadgate::apps
