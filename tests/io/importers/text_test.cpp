// Sweeps: files of all sizes around the chunk that is read at once, folders, damaged gzip; texts
// that are numbers and that are not.
// Tolerance: none, numbers are parsed to the nearest float.

#include "io/importers/text.h"

#include <string>

#include "engine/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::EndsWith;
using testing::message_of;

using TextTest = testing::FolderTest;

TEST_F(TextTest, ReadsFilesOfAllSizes) {
  for (const std::size_t size : {0U, 1U, (1U << 20) - 1, 1U << 20, (1U << 20) + 1}) {
    const std::string content(size, 'x');
    EXPECT_EQ(read_input(file("a", content)), content);
  }
}

TEST_F(TextTest, NamesFilesThatCannotBeRead) {
  EXPECT_THAT(message_of<FileError>([&] { read_input(path("none")); }),
              EndsWith("none: No such file or directory"));
  EXPECT_THAT(message_of<FileError>([&] { read_input(path(".")); }), EndsWith(": Is a directory"));
  const std::string damaged("\x1f\x8b\x08\0\0\0\0\0\0\x03 this is no deflated data", 35);
  EXPECT_THAT(message_of<FileError>([&] { read_input(file("a.gz", damaged)); }),
              ::testing::HasSubstr("a.gz: the gzip file is damaged"));
}

TEST(Text, Trims) {
  EXPECT_EQ(trim(" \ta b\r"), "a b");
  EXPECT_EQ(trim(" \t "), "");
}

TEST(Text, CutsUpToTheSeparator) {
  std::string_view rest = "a:b";
  EXPECT_EQ(cut(rest, ':'), "a");
  EXPECT_EQ(cut(rest, ':'), "b");
  EXPECT_EQ(rest, "");
}

TEST(Text, ParsesFiniteNumbersOnly) {
  EXPECT_EQ(parse_number("-1.5e2"), -150);
  EXPECT_EQ(parse_number("+.5"), 0.5F);
  EXPECT_EQ(parse_number("1e-300"), 0);
  for (const char* text : {"", "x", "1x", "1 ", "nan", "inf", "1e39", "1e400", "+", "+-1"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace quadgate
