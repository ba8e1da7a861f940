#include "apps/backtest/fold_runner.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <list>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "apps/backtest/fold_program.h"
#include "apps/common/command.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/train/run_folder.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// What comes behind `begin` in the lines of a log that begin so.
std::vector<std::string> lines_of(const std::filesystem::path& log, std::string_view begin) {
  std::vector<std::string> found;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(begin)) found.push_back(line.substr(begin.size()));
  }
  return found;
}

/// Folds that run side by side.
class Runner {
 public:
  explicit Runner(const FoldRuns& runs) : runs_(runs) {}

  bool run() {
    constexpr auto kPause = std::chrono::milliseconds(10);
    while (next_ < runs_.folds.size() || !running_.empty()) {
      if (stop_requested()) return stop();
      if (next_ < runs_.folds.size() && std::ssize(running_) < runs_.jobs) {
        train(runs_.folds[next_++]);
        continue;
      }
      std::this_thread::sleep_for(kPause);
      for (auto one = running_.begin(); one != running_.end();) {
        const auto code = one->program.exit_code();
        if (!code) {
          ++one;
          continue;
        }
        const auto [fold, trains] = std::pair(one->fold, one->trains);
        one = running_.erase(one);
        // A signal that came since then ended it as well, perhaps.
        if (stop_requested()) return stop();
        go_on(fold, trains, *code);
      }
    }
    return true;
  }

 private:
  struct Running {
    Running(std::size_t number, bool is_trained, std::vector<std::string> arguments,
            const std::filesystem::path& output, const std::filesystem::path& log)
        : fold(number), trains(is_trained), program(std::move(arguments), output, log) {}

    std::size_t fold;
    bool trains;  // else it evaluates
    FoldProgram program;
  };

  FoldFolder folder(std::size_t fold) const { return {runs_.folder, fold}; }

  void start(std::size_t fold, bool trains, std::vector<std::string> arguments,
             const std::filesystem::path& output) {
    arguments.insert(arguments.end(), {"--threads", std::to_string(runs_.threads)});
    running_.emplace_back(fold, trains, std::move(arguments), output, folder(fold).log());
  }

  void train(std::size_t fold) {
    const bool goes_on = runs_.begin(fold);
    std::vector<std::string> arguments{"train", folder(fold).run_file().string()};
    if (goes_on) arguments.emplace_back("--resume");
    start(fold, true, std::move(arguments), {});
  }

  void evaluate(std::size_t fold) {
    const FoldFolder files = folder(fold);
    const RunFolder run(files.path());
    const std::filesystem::path best =
        std::filesystem::exists(run.best()) ? run.best() : run.checkpoint();
    start(fold, false,
          {"evaluate", best.string(), "--data", files.data().string(), "--split", "test", "--json"},
          unfinished_result(fold));
  }

  std::filesystem::path unfinished_result(std::size_t fold) const {
    return folder(fold).result().string() + ".part";
  }

  void go_on(std::size_t fold, bool trains, int code) {
    const FoldFolder files = folder(fold);
    tell(fold);
    if (code != kExitDone) fail(fold, code);
    if (trains) return evaluate(fold);
    std::filesystem::rename(unfinished_result(fold), files.result());
    runs_.say(fmt::format("{}: done", files.path().string()));
  }

  /// Passes on what the program of a fold said, each line once.
  void tell(std::size_t fold) {
    for (const std::string& line : lines_of(folder(fold).log(), "quadgate: note: ")) {
      if (told_.insert(line).second) note(line);
    }
    for (const std::string& line : lines_of(folder(fold).log(), "quadgate: warning: ")) {
      if (told_.insert(line).second) warn(line);
    }
  }

  [[noreturn]] void fail(std::size_t fold, int code) const {
    const FoldFolder files = folder(fold);
    const auto errors = lines_of(files.log(), "quadgate: error: ");
    const std::string why = errors.empty() || code == kExitStopped || code < 0
                                ? "stopped by a signal; the same command goes on"
                                : errors.back();
    const std::string line = fmt::format("{}: {}", files.path().string(), why);
    if (code == kExitWrongUse) throw InvalidArgument(line);
    throw DataError(line);
  }

  /// Returns false, once all that run have saved.
  bool stop() {
    for (const Running& one : running_) one.program.stop();
    constexpr auto kPause = std::chrono::milliseconds(10);
    while (!running_.empty()) {
      std::this_thread::sleep_for(kPause);
      running_.remove_if([](Running& one) { return one.program.exit_code().has_value(); });
    }
    return false;
  }

  const FoldRuns& runs_;
  std::size_t next_ = 0;  // of runs_.folds
  std::list<Running> running_;
  std::set<std::string> told_;
};

}  // namespace

bool run_folds(const FoldRuns& runs) { return Runner(runs).run(); }

}  // namespace quadgate::apps
