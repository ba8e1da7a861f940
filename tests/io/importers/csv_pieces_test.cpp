// Sweeps: a table that comes through a pipe, cut anywhere; first rows that tell otherwise how it is
// written than those that came first.
// Tolerance: none, numbers are parsed to the nearest float.

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/csv.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::values_of;

class CsvPiecesTest : public testing::FolderTest {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(pipe_.data()), 0); }
  void TearDown() override {
    close_writer();
    ::close(pipe_[0]);
  }

  void write(std::string_view text) const {
    ASSERT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (pipe_[1] >= 0) ::close(std::exchange(pipe_[1], -1));
  }

  /// Reads a table that begins with `first`; each piece lets the next of `more` come. Returns the
  /// values of the pieces and, behind them, of the rest.
  std::vector<std::vector<float>> read(std::string_view first, std::vector<std::string> more,
                                       const CsvOptions& options, const RowWindows& windows) {
    CsvImporter importer(options, {.spool = {.output = path("out.h5")}, .in_pieces = true});
    std::vector<std::vector<float>> pieces;
    const auto go_on = [&] {
      if (!more.empty()) write(more.front());
      if (!more.empty()) more.erase(more.begin());
      if (more.empty()) close_writer();
    };
    write(first);
    importer.read_in_pieces(fmt::format("/dev/fd/{}", pipe_[0]), windows,
                            [&](const Series& piece, std::int64_t line) {
                              pieces.push_back(values_of(piece.x));
                              lines_.push_back(line);
                              go_on();
                            });
    pieces.push_back(values_of(importer.take().x));
    return pieces;
  }

  std::array<int, 2> pipe_{-1, -1};
  std::vector<std::int64_t> lines_;  // that pieces ended with
};

TEST_F(CsvPiecesTest, GivesRowsOnceTheyHoldAWindow) {
  EXPECT_THAT(
      read("a\n1\n2\n3\n4", {"\n5\n", "\"6\"\n7\n8"}, {}, {.rows = 3, .stride = 1}),
      ElementsAre(ElementsAre(1, 2, 3), ElementsAre(2, 3, 4, 5), ElementsAre(4, 5, 6, 7, 8)));
  EXPECT_THAT(lines_, ElementsAre(4, 6));
}

TEST_F(CsvPiecesTest, BeginsPiecesWhereWindowsBegin) {
  EXPECT_THAT(read("a\n1\n2\n3\n4\n", {"5\n6\n", "7\n"}, {}, {.rows = 3, .stride = 2}),
              ElementsAre(ElementsAre(1, 2, 3, 4), ElementsAre(3, 4, 5, 6), ElementsAre(5, 6, 7)));
}

TEST_F(CsvPiecesTest, EndsPiecesWithTheRowsBehindShortWindows) {
  EXPECT_THAT(read("a\n1\n2\n3\n4\n5\n6\n", {"7\n8\n9\n", "10\n"}, {}, {.rows = 1, .stride = 3}),
              ElementsAre(ElementsAre(1, 2, 3, 4, 5, 6), ElementsAre(7, 8, 9), ElementsAre(10)));
}

TEST_F(CsvPiecesTest, RefusesATableThatIsNotWrittenAsItSeemed) {
  const CsvOptions options{.columns = {.features = {"a"}, .are_known = true}};
  EXPECT_THAT(
      message_of<FileError>(
          [&] { read("t,a\n,1\n,2\n", {"2020-01-01,3\n"}, options, {.rows = 2}); }),
      HasSubstr(":4: expected fields, numbers and times as the rows before have them, found "
                "others (a file, not a pipe, is read as its first 100 rows tell)"))
      << "without its first times, a table has none";
}

}  // namespace
}  // namespace quadgate
