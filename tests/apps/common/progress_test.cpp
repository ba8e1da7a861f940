// Sweeps the progress line on a terminal and on a pipe, and durations around the minute and hour.
// No tolerance: text.

#include "apps/common/progress.h"

#include <gtest/gtest.h>

#include <array>

namespace quadgate::apps {
namespace {

using std::chrono::milliseconds;

/// A temporary stream whose text can be read back.
class Stream {
 public:
  ~Stream() { std::fclose(file_); }
  std::FILE* get() { return file_; }
  std::string text() {
    std::fflush(file_);
    std::rewind(file_);
    std::array<char, 4096> bytes{};
    return {bytes.data(), std::fread(bytes.data(), 1, bytes.size(), file_)};
  }

 private:
  std::FILE* file_ = std::tmpfile();
};

TEST(ProgressTest, TerminalLineIsRewritten) {
  Stream stream;
  const Progress::Time start;
  Progress progress(stream.get(), true, start);
  progress.update("first", start);
  progress.update("second", start);
  progress.finish("last", start);
  progress.finish("next epoch", start);
  EXPECT_EQ(stream.text(), "\rfirst\x1b[K\rsecond\x1b[K\rlast\x1b[K\n\rnext epoch\x1b[K\n");
}

TEST(ProgressTest, OpenTerminalLineIsEnded) {
  Stream stream;
  const Progress::Time start;
  { Progress(stream.get(), true, start).update("half", start); }
  EXPECT_EQ(stream.text(), "\rhalf\x1b[K\n");
}

TEST(ProgressTest, PipeGetsPlainLines) {
  Stream stream;
  const Progress::Time start;
  {
    Progress progress(stream.get(), false, start);
    progress.update("half", start);
    progress.finish("done", start);
  }
  EXPECT_EQ(stream.text(), "half\ndone\n");
}

TEST(ProgressTest, IsDueOftenOnATerminalAndSeldomOnAPipe) {
  Stream stream;
  const Progress::Time start;
  Progress terminal(stream.get(), true, start);
  EXPECT_FALSE(terminal.due(start + milliseconds(99)));
  EXPECT_TRUE(terminal.due(start + milliseconds(100)));
  terminal.update("line", start + milliseconds(100));
  EXPECT_FALSE(terminal.due(start + milliseconds(150)));
  Progress pipe(stream.get(), false, start);
  EXPECT_FALSE(pipe.due(start + milliseconds(9999)));
  EXPECT_TRUE(pipe.due(start + milliseconds(10000)));
}

TEST(DurationTextTest, ShowsHoursOnlyWhenThereAreAny) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(754), "12:34");
  EXPECT_EQ(duration_text(3600), "1:00:00");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(-1), "0:00");
}

}  // namespace
}  // namespace quadgate::apps
