// TOML just within and just beyond the limit, in each way to nest it. What is refused here is far
// from deep enough to hurt the library.

#include "apps/train/toml_depth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

std::string times(int count, const std::string& text) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(TomlDepthTest, SixtyFourLevelsAreEnough) {
  for (const auto& [open, close] : {std::pair{"[", "]"}, {"{a=", "}"}}) {
    EXPECT_NO_THROW(expect_shallow_toml("x = " + times(64, open) + times(64, close), "run.toml"));
    EXPECT_THROW(expect_shallow_toml("x = " + times(65, open) + times(65, close), "run.toml"),
                 InvalidArgument);
  }
  EXPECT_NO_THROW(expect_shallow_toml(times(64, "a.") + "a = 1\n", "run.toml"));
  EXPECT_THROW(expect_shallow_toml(times(65, "a.") + "a = 1\n", "run.toml"), InvalidArgument);
  EXPECT_THROW(expect_shallow_toml("[" + times(65, "a . ") + "a]\n", "run.toml"), InvalidArgument);
}

TEST(TomlDepthTest, StringsAndCommentsNestNothing) {
  const std::string deep = times(100, "[");
  for (const std::string& text : {"# " + deep + "\n", "x = \"" + deep + "\"\n",
                                  "x = '" + deep + "'\n", "x = \"\"\"\n" + deep + "\n\"\"\"\n",
                                  "x = '''" + deep + "'''\n", R"(x = "\")" + deep + "\"\n"}) {
    EXPECT_NO_THROW(expect_shallow_toml(text, "run.toml")) << text;
  }
}

TEST(TomlDepthTest, AStringEndsWhereTomlSaysSo) {
  const std::string deep = times(65, "[");
  for (const char* const string : {R"("""x"""")", R"("""x""""")", R"("x\\")", R"('x\')"}) {
    EXPECT_THROW(expect_shallow_toml(std::string("x = ") + string + deep, "run.toml"),
                 InvalidArgument)
        << string;
  }
}

TEST(TomlDepthTest, TheLineIsNamed) {
  try {
    expect_shallow_toml("# one\nx = " + times(65, "["), "run.toml");
    FAIL() << "nothing is thrown";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("run.toml:2: "));
  }
}

}  // namespace
}  // namespace quadgate::apps
