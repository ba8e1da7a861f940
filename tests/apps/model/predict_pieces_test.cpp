// Sweeps: inputs of every kind that is answered as it comes, from a pipe in pieces of one line, of
// seven and of all; tables with gaps, missing values, resampled rows, strides and known columns.
// Tolerance: none, the bytes are those that the same input gives as a file.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Waits for something that comes soon, or never.
bool comes(const std::function<bool()>& condition) {
  constexpr int kMilliseconds = 20'000;
  for (int i = 0; i < kMilliseconds && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

bool has_ended(pid_t child) {
  siginfo_t info = {};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid != 0;
}

/// A pipe in a folder, which a program reads as a file of that name.
class Pipe {
 public:
  explicit Pipe(const std::filesystem::path& path) {
    std::filesystem::remove(path);
    EXPECT_EQ(::mkfifo(path.c_str(), S_IRUSR | S_IWUSR), 0);
    pipe_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_GE(pipe_, 0);
  }
  ~Pipe() { close(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int descriptor() const noexcept { return pipe_; }
  /// Returns once it is read, or the program has ended that reads.
  void write(std::string_view text, pid_t reader) const {
    ASSERT_EQ(::write(pipe_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_TRUE(comes([&] {
      int left = 0;
      return has_ended(reader) || (::ioctl(pipe_, FIONREAD, &left) == 0 && left == 0);
    }));
  }
  void close() {
    if (pipe_ >= 0) ::close(std::exchange(pipe_, -1));
  }

 private:
  int pipe_ = -1;
};

std::string first_lines(const std::string& text, std::int64_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  }
  return text.substr(0, end);
}

class PredictPiecesTest : public Workspace {
 protected:
  static constexpr const char* kModel = "run/checkpoint.h5";

  /// Trains on a file, into run/.
  void train(const std::string& kind, const std::string& old,
             const std::vector<std::string>& prepare = {}, const std::string& data = "",
             const std::string& model = "") const {
    write("old", old);
    std::vector<std::string> args{"prepare", kind, "old", "--force", "-o", "old.h5"};
    args.insert(args.end(), prepare.begin(), prepare.end());
    const Outcome prepared = run(args);
    ASSERT_EQ(prepared.code, kExitDone) << prepared.err;
    write("run.toml", "[data]\npath = \"old.h5\"\n" + data + "[model]\nhidden_size = 4\n" + model +
                          "[train]\nepochs = 1\n" + (kind == "text" ? "bptt_len = 8\n" : "") +
                          "[output]\ndir = \"run\"\n");
    std::filesystem::remove_all(path("run"));
    const Outcome trained = run({"train", "run.toml"});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
  }

  /// Answers a text that comes in pieces of so many lines.
  Outcome feed(const std::vector<std::string>& args, const std::string& text,
               std::int64_t lines) const {
    Pipe pipe(path("pipe"));
    const pid_t child = start(args);
    for (std::string_view rest = text; !rest.empty();) {
      const std::string piece = first_lines(std::string(rest), lines);
      pipe.write(piece, child);
      rest.remove_prefix(piece.size());
    }
    pipe.close();
    return finish(child);
  }

  /// Expects that `command`, of a model and more, answers a pipe with what it answers a file with.
  void expect_same(const std::string& text, std::vector<std::string> command = {"predict"},
                   const std::vector<std::string>& more = {}) const {
    write("file", text);
    const bool predicts = command.front() == "predict";
    command.emplace_back(kModel);
    if (predicts) command.emplace_back("--input");
    const auto with = [&](const char* input) {
      std::vector<std::string> args = command;
      args.insert(args.end(), {input, "-o", "-"});
      args.insert(args.end(), more.begin(), more.end());
      return args;
    };
    const Outcome whole = run(with("file"));
    ASSERT_EQ(whole.code, kExitDone) << whole.err;
    std::string notes = whole.err;
    for (std::size_t at = notes.find("file:"); at != std::string::npos; at = notes.find("file:")) {
      notes.replace(at, 5, "pipe:");
    }
    for (const std::int64_t lines : {1, 7, 1'000'000}) {
      const Outcome outcome = feed(with("pipe"), text, lines);
      EXPECT_EQ(outcome.code, kExitDone) << lines << ": " << outcome.err;
      EXPECT_EQ(outcome.out, whole.out) << lines;
      EXPECT_EQ(outcome.err, notes) << lines;
    }
  }
};

bool never(int) { return false; }

/// Rows of each hour but those that `is_left_out`.
std::string hours(
    int first, int count, const std::function<bool(int)>& is_left_out = never,
    const std::function<std::string(int)>& value = [](int i) {
      return fmt::format("{}.5", i % 5);
    }) {
  std::string text = "at,a,b\n";
  for (int i = first; i < first + count; ++i) {
    if (is_left_out(i)) continue;
    text += fmt::format("2020-01-{:02} {:02}:00,{},{}\n", 1 + i / 24, i % 24, value(i), i * i % 7);
  }
  return text;
}

constexpr const char* kWindows = "input_len = 6\nhorizon = 2\ntargets = [\"a\"]\n";

TEST_F(PredictPiecesTest, ForecastsEachWindowOnceItsLastRowHasCome) {
  train("csv", hours(0, 60), {"--standardize"}, kWindows);
  Pipe pipe(path("pipe"));
  const int standard_input = ::dup(STDIN_FILENO);
  ::dup2(pipe.descriptor(), STDIN_FILENO);
  const pid_t child = start({"predict", kModel, "--input", "-", "--windows", "-o", "-"});
  ::dup2(standard_input, STDIN_FILENO);
  ::close(standard_input);
  const std::string rows = hours(60, 20);
  std::string seen;
  const auto tell = [&](std::int64_t lines, std::int64_t answers) {
    const std::string all = first_lines(rows, lines);
    pipe.write(std::string_view(all).substr(seen.size()), child);
    seen = all;
    const auto answered = [&] { return std::ranges::count(read("w/stdout"), '\n') >= answers; };
    EXPECT_TRUE(comes(answered)) << read("w/stdout");
    EXPECT_EQ(std::ranges::count(read("w/stdout"), '\n'), answers);
  };
  tell(8, 0);   // the names, and one row less than a window has
  tell(9, 3);   // names, and a forecast of two rows
  tell(10, 5);  // and another
  tell(16, 17);
  pipe.write("2020-01-0", child);  // a row that is not whole
  ::kill(child, SIGINT);
  const Outcome outcome = finish(child);
  EXPECT_EQ(outcome.code, -SIGINT);
  EXPECT_EQ(outcome.err, "quadgate: stopped by a signal\n");
}

TEST_F(PredictPiecesTest, AnswersTablesAsFromAFile) {
  const auto some = [](int i) { return i % 11 == 5 || i == 90; };
  const auto missing = [](int i) { return i % 6 == 1 ? std::string() : fmt::format("{}", i % 9); };
  train("csv", hours(0, 60), {"--standardize"}, kWindows);
  expect_same(hours(60, 106), {"predict", "--windows"});  // more than tell how it is written
  expect_same("# of a sensor\nsep=;\nb;at;a\n" + std::string("1;2020-03-01 00:00;1,5\r\n") +
                  "# once more\r\n2;2020-03-01 01:00;1.234,5\r\n" +
                  [] {
                    std::string rows;
                    for (int i = 2; i < 20; ++i) {
                      rows += fmt::format("{};2020-03-01 {:02}:00;\"{},25\"\r\n", i, i, i % 4);
                    }
                    return rows;
                  }(),
              {"predict", "--windows", "--wide"});
  train("csv", hours(0, 60, some, missing), {"--standardize", "--missing", "forward"}, kWindows);
  expect_same(hours(60, 35, some, missing), {"predict", "--windows"});
  train("csv", hours(0, 60, some, missing), {"--missing", "drop"}, kWindows);
  expect_same(hours(60, 35, some, missing), {"predict", "--windows"});
  train("csv", hours(0, 90, some), {"--standardize", "--resample", "2h", "--missing", "forward"},
        kWindows);
  expect_same(hours(90, 40, some), {"predict", "--windows"});
}

TEST_F(PredictPiecesTest, AnswersWindowsApartAndKnownColumnsAsFromAFile) {
  for (const int stride : {3, 11}) {
    train("csv", hours(0, 80), {"--standardize"}, kWindows + fmt::format("stride = {}\n", stride));
    expect_same(hours(80, 36), {"predict", "--windows"});
  }
  train("csv", hours(0, 60), {"--known", "b", "--calendar", "hour"}, kWindows);
  expect_same(hours(60, 25, never, [](int i) { return i < 82 ? fmt::format("{}", i % 5) : ""; }),
              {"predict", "--windows", "--steps", "2"});
  std::string numbered = "a,b\n";
  for (int i = 0; i < 60; ++i) numbered += fmt::format("{},{}.5\n", i % 5, i % 7);
  train("csv", numbered, {}, "input_len = 6\nhorizon = 2\n");
  expect_same(numbered, {"predict", "--windows", "--steps", "5"});
}

TEST_F(PredictPiecesTest, ReadsToTheEndWhatDependsOnIt) {
  std::string rows = "at,place,a,b\n";
  for (int i = 0; i < 80; ++i) {
    rows += fmt::format("2020-01-{:02} {:02}:00,{},{},{}\n", 1 + i / 48, i / 2 % 24,
                        i % 2 == 0 ? "here" : "there", i % 5, i % 7);
  }
  train("csv", rows, {"--group", "place", "--standardize-series"}, kWindows);
  expect_same(rows, {"predict", "--windows"});
  expect_same(rows);
}

/// Sequences of two dimensions, of one to seven steps.
std::string sequences_of_text(int count, const char* header, const std::string& label) {
  std::string text = std::string("@problemName a\n") + header + "\n@data\n";
  for (int i = 0; i < count; ++i) {
    std::string values;
    for (int step = 0; step <= i % 7; ++step) {
      values += fmt::format("{}{}.5", step > 0 ? "," : "", (i + step * step) % 5);
    }
    const std::string its = label.empty() ? (i % 2 == 0 ? "up" : "down") : label;
    text += fmt::format("{}:{}{}{}\n", values, values, its == "none" ? "" : ":",
                        its == "none" ? "" : its);
  }
  return text;
}

TEST_F(PredictPiecesTest, AnswersSequencesAsFromAFile) {
  constexpr const char* kClasses = "@classLabel true up down";
  train("ts", sequences_of_text(30, kClasses, ""), {"--standardize"});
  expect_same(sequences_of_text(20, kClasses, ""), {"predict", "--probabilities"});
  expect_same(sequences_of_text(20, "@classLabel false", "none"));
  train("ts", sequences_of_text(30, "@targetLabel true", "2.5"), {"--standardize"});
  expect_same(sequences_of_text(20, "@targetLabel true", "?"));
}

/// Sentences of one to five words.
std::string sentences_of_text(int count, int first_tagged) {
  constexpr std::array kWords{"the", "can", "fish", "we", "Mary"};
  constexpr std::array kTags{"DET", "AUX", "VERB", "PRON", "PROPN"};
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("# number {}\n", i);
    for (int word = 0; word <= i % 5; ++word) {
      const auto which = static_cast<std::size_t>((i + word * word) % 5);
      const std::string tag = i < first_tagged ? "_" : kTags.at(which);
      text += fmt::format("{}\t{}{}\t_\t{}\tx{}\t_\t_\t_\t_\t_\n", word + 1, kWords.at(which),
                          i % 9 == 8 ? "er" : "", tag, i < first_tagged ? "" : tag);
    }
    text += "\n";
  }
  return text;
}

TEST_F(PredictPiecesTest, AnswersSentencesAsFromAFile) {
  for (const char* level : {"words", "characters"}) {
    train("conllu", sentences_of_text(40, 0), {"--level", level}, "",
          "embedding_size = 4\ncrf = true\n");
    expect_same(sentences_of_text(30, 0), {"predict", "--probabilities"});
    expect_same(sentences_of_text(30, 20));
  }
  expect_same("we can\n\nfish er the\r\nMary\n\n the", {"tag"});
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    for (int word = 0; word <= i; ++word) lines += word % 3 == 0 ? "the " : "fish ";
    lines += "\n";
  }
  expect_same("\n" + lines, {"tag"});
}

TEST_F(PredictPiecesTest, AnswersTextAsFromAFile) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += i % 7 == 6 ? "\n" : i % 3 == 0 ? "the fish " : "we can ";
  for (const char* level : {"words", "characters"}) {
    train("text", text, {"--level", level}, "", "embedding_size = 4\nnum_layers = 2\n");
    expect_same("we\n" + text + "zebra\r\n\r\nthe\rend");
  }
}

TEST_F(PredictPiecesTest, KeepsWhatItHasAnsweredBeforeAnError) {
  train("csv", hours(0, 60), {"--standardize"}, kWindows);
  const std::vector<std::string> args{"predict", kModel, "--input", "pipe", "-o", "-", "--windows"};
  write("file", hours(60, 20));
  const std::string whole = run({"predict", kModel, "--input", "file", "--windows", "-o", "-"}).out;
  const auto expect_late = [&](const std::string& row, const std::string& message) {
    const Outcome outcome = feed(args, hours(60, 20) + row, 1);
    EXPECT_EQ(outcome.code, kExitFailed);
    EXPECT_EQ(outcome.out, whole);
    EXPECT_THAT(outcome.err, StartsWith("quadgate: error: " + message));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  };
  expect_late("2020-02-01 00:00,x,3\n", "pipe:22: column 'a': expected a number");
  expect_late("noon,1,3\n", "pipe:22: column 'at': expected a time");
  expect_late("2020-02-01 00:00,1\n", "pipe:22: expected 3 fields");
  train("ts", sequences_of_text(30, "@classLabel true up down", ""), {"--standardize"});
  const std::string few = sequences_of_text(9, "@classLabel true up down left", "up");
  const Outcome other =
      feed({"predict", kModel, "--input", "pipe", "-o", "-"}, few + "1:2:left\n", 1);
  EXPECT_EQ(other.code, kExitFailed);
  EXPECT_THAT(other.out, StartsWith("row,predicted,probability,label\n0,"));
  EXPECT_THAT(other.err,
              HasSubstr("pipe: sequence 0: expected classes up, down, as in the data that "
                        "it shall be like, found 'left' (from line 13 on)\n"));
  train("conllu", sentences_of_text(40, 0), {"--column", "XPOS"}, "", "embedding_size = 4\n");
  const Outcome tagged =
      feed({"predict", kModel, "--input", "pipe", "-o", "-"},
           sentences_of_text(1, 0).replace(0, 0, "1\tthe\t_\t_\t_\t_\t_\t_\t_\t_\n\n"), 1);
  EXPECT_EQ(tagged.code, kExitFailed);
  EXPECT_THAT(tagged.out, StartsWith("row,step,token,predicted,probability,label\n0,0,the,"));
  EXPECT_THAT(tagged.err,
              HasSubstr("pipe:4: XPOS: expected none, as sentences that were answered"));
}

}  // namespace
}  // namespace quadgate::apps
