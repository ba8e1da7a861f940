// Sweeps: runs that are killed again and again at random moments, by SIGKILL, by SIGTERM and
// SIGINT, with the newest checkpoint damaged in between, and resumed each time: features, tokens to
// tag and text; f32 and bf16; checkpoints by steps and by minutes. Tolerance: none. The end has the
// bits of the run that was never stopped.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "apps/common/command.h"
#include "engine/base/random.h"
#include "tests/apps/train/run_end.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUADGATE_SLOW_BUILD
#endif
#endif
#ifdef QUADGATE_SLOW_BUILD
constexpr int kManyKills = 15;
constexpr int kSomeKills = 4;
#else
constexpr int kManyKills = 100;
constexpr int kSomeKills = 10;
#endif

/// A way to train, and how often it is stopped in all.
struct Stopped {
  const char* name;
  int stops;
  std::vector<int> signals;  ///< in turn
  bool damages;              ///< the newest checkpoint, now and then
  std::vector<std::string> settings;
};

class ResumeTest : public Workspace, public testing::WithParamInterface<Stopped> {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    std::string sentences;
    std::string text;
    for (int i = 0; i < 160; ++i) {
      const char* const word = i % 3 == 0 ? "eat" : "sleep";
      sentences += "1\twe\t_\tPRON\t_\t_\t_\t_\t_\t_\n2\t" + std::string(word) +
                   "\t_\tVERB\t_\t_\t_\t_\t_\t_\n\n";
      text += "we " + std::string(word) + (i % 7 == 0 ? ". " : " ");
    }
    write("tags.conllu", sentences);
    write("text.txt", text);
    prepare("conllu", "tags.conllu", "tags.h5");
    prepare("text", "text.txt", "text.h5");
  }

  void prepare(const char* format, const char* from, const char* to) const {
    const Outcome prepared = run({"prepare", format, from, "--valid-fraction", "0.2", "-o", to});
    ASSERT_EQ(prepared.code, kExitDone) << prepared.err;
  }

  static std::vector<std::string> train_into(const std::string& folder) {
    std::vector<std::string> args = {"train", "run.toml", "--threads", "1"};
    for (const std::string& setting : GetParam().settings) {
      args.insert(args.end(), {"--set", setting});
    }
    args.insert(args.end(), {"--set", "output.dir=" + folder});
    return args;
  }

  /// As train_into, going on if there is something to go on from.
  std::vector<std::string> go_on() const {
    auto args = train_into("run");
    if (std::filesystem::exists(path("run/run.toml"))) args.emplace_back("--resume");
    return args;
  }

  std::uint32_t random(std::uint32_t below) { return philox(7, {++drawn_, 0, 0, 0})[0] % below; }

  /// What a power cut may leave of the newest checkpoint, if the one before it is there: a part of
  /// it, or other bytes in it. Whether it did so.
  bool damage() {
    const auto newest = path("run/checkpoint.h5");
    const auto before = path("run/checkpoint.prev.h5");
    if (!std::filesystem::exists(newest) || !std::filesystem::exists(before)) return false;
    // A run that is killed just before it names the next checkpoint leaves one file of two names.
    if (std::filesystem::equivalent(newest, before)) return false;
    std::string bytes = read("run/checkpoint.h5");
    const auto at = random(static_cast<std::uint32_t>(bytes.size()));
    if (at < 512 || at % 2 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
    }
    write("run/checkpoint.h5", bytes);
    write("run/checkpoint.h5.tmp-1-0", bytes.substr(bytes.size() / 2));
    return true;
  }

  /// Trains for a random part of `longest`, then sends `signal`. Whether that came before the end.
  bool stop_once(int signal, std::chrono::microseconds longest) {
    const pid_t child = start(go_on());
    std::this_thread::sleep_for(
        std::chrono::microseconds(random(static_cast<std::uint32_t>(longest.count()))));
    kill(child, signal);
    const Outcome outcome = finish(child);
    EXPECT_THAT(outcome.code, AnyOf(kExitDone, kExitStopped, -signal)) << outcome.err;
    if (outcome.code == kExitStopped) {
      EXPECT_FALSE(std::filesystem::exists(path("run/checkpoint.h5.tmp-1-0")));
    }
    return outcome.code != kExitDone;
  }

  /// Trains a run to its end with at most `most` stops. How many there were.
  int train_with_stops(int most, std::chrono::microseconds longest) {
    std::filesystem::remove_all(path("run"));
    const auto& signals = GetParam().signals;
    int stops = 0;
    while (stops < most &&
           stop_once(signals[static_cast<std::size_t>(stops) % signals.size()], longest)) {
      ++stops;
      if (GetParam().damages && random(3) == 0) damage();
    }
    const bool damaged = GetParam().damages && damage();
    const Outcome done = run(go_on());
    EXPECT_EQ(done.code, kExitDone) << done.err;
    if (damaged) {
      EXPECT_THAT(done.err, HasSubstr("the one before it, run/checkpoint.prev.h5\n"));
    }
    return stops;
  }

 private:
  std::uint32_t drawn_ = 0;
};

TEST_P(ResumeTest, EndsWithTheSameBits) {
  constexpr int kStopsOfARun = 12;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run(train_into("reference")).code, kExitDone);
  const auto whole = std::chrono::steady_clock::now() - start;
  const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(whole) / 2;
  for (int left = GetParam().stops; left > 0 && !HasFailure();) {
    left -= train_with_stops(std::min(left, kStopsOfARun), longest);
    expect_same_end(path("run"), path("reference"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, ResumeTest,
    testing::Values(
        Stopped{"killed",
                kManyKills,
                {SIGKILL},
                true,
                {"train.epochs=12", "train.checkpoint_every_steps=3", "train.schedule.kind=cosine",
                 "train.schedule.warmup_steps=4"}},
        Stopped{"signalled",
                kSomeKills,
                {SIGTERM, SIGINT},
                false,
                {"train.epochs=12", "train.schedule.kind=reduce_on_plateau",
                 "train.schedule.patience=1", "train.schedule.threshold=0.5",
                 "train.accumulate_steps=2"}},
        Stopped{"by_minutes",
                kSomeKills,
                {SIGKILL},
                false,
                {"train.epochs=12", "train.checkpoint_every_minutes=0.00002",
                 "train.schedule.kind=one_cycle", "train.optimizer=adamw"}},
        Stopped{"bf16",
                kSomeKills,
                {SIGKILL, SIGTERM},
                true,
                {"train.epochs=12", "train.checkpoint_every_steps=2", "model.precision=bf16"}},
        Stopped{"tokens",
                kSomeKills,
                {SIGKILL},
                true,
                {"train.epochs=12", "train.checkpoint_every_steps=2", "data.path=tags.h5",
                 "model.embedding_size=6", "train.optimizer=rmsprop", "train.momentum=0.5"}},
        Stopped{"text",
                kSomeKills,
                {SIGKILL},
                true,
                {"train.epochs=12", "train.checkpoint_every_steps=5", "data.path=text.h5",
                 "model.embedding_size=6", "train.batch_size=4", "train.bptt_len=10"}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace quadgate::apps
