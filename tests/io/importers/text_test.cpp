// Sweeps: lines and pieces of texts with characters of one to four bytes, read by 1 to 40 bytes at
// once; bytes that are no text, lines that are too long, folders, damaged gzip; texts that are
// numbers and that are not.
// Tolerance: none, numbers are parsed to the nearest float.

#include "io/importers/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/utf8.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using testing::message_of;

using TextTest = testing::FolderTest;

/// The lines with their numbers, or the error.
std::vector<std::string> lines_of(const std::filesystem::path& path, const ImportOptions& options,
                                  std::size_t max_line = TextReader::kMaxLine) {
  TextReader reader(path, options, max_line);
  std::vector<std::string> lines;
  for (std::string_view line; reader.line(line);) {
    lines.push_back(std::to_string(reader.line_number()) + " " + std::string(line));
  }
  return lines;
}

TEST_F(TextTest, ReadsLinesHoweverLittleIsReadAtOnce) {
  const auto text = file("a", "\xEF\xBB\xBFone\r\n\r\n樹 \xF0\x9D\x84\x9E and more\n\n\rlast");
  for (std::size_t size = 1; size < 40; ++size) {
    EXPECT_THAT(lines_of(text, {.buffer_size = size}),
                ElementsAre("1 one", "2 ", "3 樹 \xF0\x9D\x84\x9E and more", "4 ", "5 ", "6 last"));
  }
  EXPECT_THAT(lines_of(file("b", "\xEF\xBB\xBF"), {}), IsEmpty());
  EXPECT_THAT(lines_of(file("b", ""), {}), IsEmpty());
  EXPECT_THAT(lines_of(file("b", "\n"), {}), ElementsAre("1 "));
}

TEST_F(TextTest, ReadsLinesThatEndInCrAlone) {
  for (std::size_t size = 1; size < 10; ++size) {
    const ImportOptions options{.buffer_size = size};
    EXPECT_THAT(lines_of(file("a", "one\r\rtwo\rlast"), options),
                ElementsAre("1 one", "2 ", "3 two", "4 last"));
    EXPECT_THAT(lines_of(file("a", "one\r"), options), ElementsAre("1 one"));
    EXPECT_THAT(lines_of(file("a", "one\r\r\ntwo\r\r\n"), options), ElementsAre("1 one", "2 two"))
        << "a text file of Windows, written as text once more";
  }
}

TEST_F(TextTest, ReadsPiecesOfWholeCharacters) {
  std::string content;
  for (int i = 0; i < 50; ++i) content += "aß樹\xF0\x9D\x84\x9E\n";
  for (std::size_t size = 1; size < 20; ++size) {
    TextReader reader(file("a", content), {.buffer_size = size});
    std::string read;
    for (std::string_view piece; reader.piece(piece);) {
      EXPECT_LE(piece.size(), std::max<std::size_t>(size, 5));
      EXPECT_EQ(find_not_utf8(piece), std::string_view::npos);
      read += piece;
    }
    EXPECT_EQ(read, content);
    EXPECT_EQ(reader.line_number(), 51);
  }
}

TEST_F(TextTest, NamesTheLineThatIsNotUtf8) {
  for (const std::string& bad : {std::string("\xFF"), std::string("\xE6\xA8"), std::string(1, '\0'),
                                 std::string("\xED\xA0\x80 and more than eight bytes")}) {
    const auto text = file("a", "樹\nlong enough\nthird " + bad);
    const auto expected =
        fmt::format("a:3: expected UTF-8, found byte {:#04x}", static_cast<unsigned char>(bad[0]));
    for (std::size_t size = 1; size < 40; ++size) {
      const ImportOptions options{.buffer_size = size};
      EXPECT_THAT(message_of<FileError>([&] { lines_of(text, options); }), EndsWith(expected));
      EXPECT_THAT(message_of<FileError>([&] {
                    TextReader reader(text, options);
                    for (std::string_view piece; reader.piece(piece);) continue;
                  }),
                  EndsWith(expected));
    }
  }
}

TEST_F(TextTest, LimitsLines) {
  for (const std::size_t size : {4U, 8U, 100U}) {
    const auto read = [&](const char* content) {
      return lines_of(file("a", content), {.buffer_size = size}, 8);
    };
    EXPECT_THAT(read("12345678\n12345678"), ElementsAre("1 12345678", "2 12345678"));
    for (const char* content : {"1\n123456789\n", "1\n123456789"}) {
      EXPECT_THAT(message_of<FileError>([&] { read(content); }),
                  EndsWith("a:2: expected a line of at most 8 bytes, found a longer one"));
    }
  }
}

TEST_F(TextTest, NamesFilesThatCannotBeRead) {
  const auto error = [](const std::filesystem::path& path) {
    return message_of<FileError>([&] { lines_of(path, {}); });
  };
  EXPECT_THAT(error(path("none")), EndsWith("none: No such file or directory"));
  EXPECT_THAT(error(path(".")), EndsWith(": Is a directory"));
  const std::string damaged("\x1f\x8b\x08\0\0\0\0\0\0\x03 this is no deflated data", 35);
  EXPECT_THAT(error(file("a.gz", damaged)), ::testing::HasSubstr("a.gz: the gzip file is damaged"));
}

TEST_F(TextTest, ReadsGzipOfSeveralParts) {
  const std::string one = {'\x1f', '\x8b', 8,      0,      0,   0,      0, 0,
                           2,      3,      '\xcb', '\xcf', 'K', '\xe5', 2, 0,
                           '\x9f', '\xa8', '\x17', '\xf8', 4,   0,      0, 0};  // of "one\n"
  for (std::size_t size = 1; size < 9; ++size) {
    const ImportOptions options{.buffer_size = size};
    EXPECT_THAT(lines_of(file("a", one + one), options), ElementsAre("1 one", "2 one"));
    EXPECT_THAT(lines_of(file("a", one + std::string(9, '\0')), options), ElementsAre("1 one"))
        << "what is no gzip behind a part is left out, as gzip does";
    EXPECT_THAT(
        message_of<FileError>([&] { lines_of(file("a", one + one.substr(0, 20)), options); }),
        EndsWith("a: the gzip file is truncated"));
  }
}

TEST_F(TextTest, PausesWhereAPipeMustBeWaitedFor) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const auto write = [&](std::string_view text) {
    ASSERT_EQ(::write(pipe[1], text.data(), text.size()), std::ssize(text));
  };
  write("one\ntwo\r\nth");
  const std::string path = fmt::format("/dev/fd/{}", pipe[0]);
  TextReader reader(path, {.in_pieces = true});
  std::string_view line;
  ASSERT_TRUE(reader.line(line));
  EXPECT_EQ(line, "one");
  EXPECT_FALSE(reader.at_pause());
  ASSERT_TRUE(reader.line(line));
  EXPECT_EQ(line, "two");
  EXPECT_TRUE(reader.at_pause());
  EXPECT_TRUE(reader.at_pause());
  write("ree\r");
  EXPECT_TRUE(reader.at_pause()) << "a \\n may follow";
  write("\n");
  EXPECT_FALSE(reader.at_pause());
  ASSERT_TRUE(reader.line(line));
  EXPECT_EQ(line, "three");
  write("last");
  ::close(pipe[1]);
  EXPECT_FALSE(reader.at_pause());
  ASSERT_TRUE(reader.line(line));
  EXPECT_EQ(line, "last");
  EXPECT_FALSE(reader.at_pause()) << "the end need not be waited for";
  EXPECT_FALSE(reader.line(line));
  ::close(pipe[0]);
}

TEST_F(TextTest, TellsHowFarItIs) {
  std::vector<std::int64_t> done;
  const ImportOptions options{.observer =
                                  [&](const FileProgress& progress) {
                                    EXPECT_EQ(progress.path, path("a"));
                                    EXPECT_STREQ(progress.action, "reading");
                                    EXPECT_EQ(progress.total, 10);
                                    done.push_back(progress.done);
                                  },
                              .buffer_size = 4};
  lines_of(file("a", "1\n2\n3\n4\n5\n"), options);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(done.back(), 10);
  EXPECT_THROW(lines_of(path("a"), {.observer = [](const FileProgress&) { throw 1; }}), int);
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
  EXPECT_EQ(parse_number("1e-300"), 1e-300);
  for (const char* text : {"", "x", "1x", "1 ", "nan", "inf", "1e39", "1e400", "+", "+-1"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace quadgate
