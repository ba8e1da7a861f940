#include "apps/backtest/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

#include "apps/backtest/fold_plan.h"
#include "apps/backtest/fold_results.h"
#include "apps/backtest/fold_runner.h"
#include "apps/common/command.h"
#include "apps/common/launch.h"
#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "apps/train/monitor.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/run_lock.h"
#include "apps/train/run_plan.h"
#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/files/temporary_file.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

void expect_counts(const BacktestArguments& arguments) {
  const auto expect = [](const char* option, std::optional<std::int64_t> found, std::int64_t least,
                         std::int64_t most) {
    if (!found || (*found >= least && *found <= most)) return;
    throw InvalidArgument(
        fmt::format("{}: expected {} to {}, found {}", option, least, most, *found));
  };
  constexpr std::int64_t kMostFolds = 10'000;
  constexpr std::int64_t kLargest = std::int64_t{1} << 48;
  constexpr std::int64_t kMostJobs = 1024;
  expect("--folds", arguments.folds, 2, kMostFolds);
  expect("--test-size", arguments.test_size, 1, kLargest);
  expect("--gap", arguments.gap, 0, kLargest);
  expect("--max-train-size", arguments.max_train_size, 1, kLargest);
  expect("--jobs", arguments.jobs, 1, kMostJobs);
}

/// Throws DataError where what was measured in the data's train split would tell of rows that
/// a fold is tested on, and cannot be measured anew.
void expect_no_leak(const RunConfig& config, const Dataset& data, std::vector<std::string>& notes) {
  const DataDescription& description = data.description();
  const auto& recipe = description.recipe;
  if (recipe && !recipe->fill.empty()) {
    throw DataError(
        fmt::format("{}: its missing values became means of its train split, which has rows that "
                    "folds are tested on: expected --missing drop or forward in prepare",
                    config.data_text()));
  }
  if (recipe && data.vocabulary_size() > 0 && recipe->min_count == 0) {
    throw DataError(fmt::format(
        "{}: attribute 'source_min_count': missing, so that no fold can make its own vocabulary: "
        "expected a data set that this version prepared without --like",
        config.data_text()));
  }
  if (recipe && data.vocabulary_size() > 0 && config.model.padding_index.value_or(0) != 0) {
    throw InvalidArgument(fmt::format(
        "model.padding_index: expected 0 (<unk>), as each fold makes its own vocabulary, found {}",
        *config.model.padding_index));
  }
  if (!recipe && data.vocabulary_size() > 0) {
    notes.push_back(fmt::format(
        "{}: nothing tells what its vocabulary was made of: all folds use it", config.data_text()));
  }
  if (!config.model.init.empty()) {
    notes.push_back(fmt::format(
        "{}: all folds begin with its weights, which must not have seen their test rows",
        config.model.init));
  }
}

/// Throws what train would throw of the whole data set.
void expect_trainable(RunConfig config, Dataset& data) {
  for (const std::string& name : data.split_names()) data.split(name);  // each has targets
  complete(config, data);
  const ModelConfig model = model_of(config, data);
  validate(model);
  for (const std::string& name : data.split_names()) expect_lengths(model, data, name);
  if (!config.train.monitor.empty()) {
    const ModelDescription description{model, data.description()};
    const Monitor monitor(config.train.monitor, description, data, config.data_paths());
  }
  if (!config.model.init.empty()) const Checkpoint init(config.model.init);
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// The first line in which two texts differ: "expected 'a', found 'b'".
std::string first_difference(const std::string& expected, const std::string& found) {
  std::istringstream ours(expected);
  std::istringstream theirs(found);
  std::string section;
  for (;;) {
    std::string a;
    std::string b;
    std::getline(ours, a);
    std::getline(theirs, b);
    if (a != b) return fmt::format("expected '{}' in {}, found '{}'", a, section, b);
    if (!ours || !theirs) return {};
    if (a.starts_with('[')) section = a;
  }
}

/// What a folder's folds are of, as it is kept there.
class PlanFile {
 public:
  PlanFile(const RunConfig& config, const FoldPlan& plan) : folder_(config.output_dir) {
    content_["run_file"] = to_toml(config);
    content_["data_checksum"] = fmt::format("{:016x}", plan.checksum);
    for (const std::string& fold : plan.folds) {
      content_["folds"].push_back(nlohmann::ordered_json::parse(fold));
    }
  }

  /// Throws FileError if the folder has folds of another run file, other data or other rows, or a
  /// run.
  void expect_same() const {
    RunFolder(folder_).expect_no_run();
    if (!std::filesystem::exists(file()) || !has_begun()) return;
    const auto stored = nlohmann::ordered_json::parse(text_of(file()), nullptr, false);
    const auto refuse = [&](const std::string& difference) {
      throw FileError(fmt::format(
          "{}: holds another backtest ({}): choose another [output] dir, or remove this one",
          folder_.string(), difference));
    };
    if (!stored.is_object() || !stored.contains("run_file") || !stored["run_file"].is_string()) {
      refuse("folds.json is damaged");
    }
    const auto run_file = stored["run_file"].get<std::string>();
    if (run_file != content_["run_file"]) {
      refuse("run file: " + first_difference(run_file, content_["run_file"].get<std::string>()));
    }
    if (stored.value("data_checksum", "") != content_["data_checksum"]) refuse("of other data");
    if (!stored.contains("folds") || stored["folds"] != content_["folds"]) {
      refuse("its folds have other rows");
    }
  }

  void write() const {
    replace_file(file(), std::as_bytes(std::span<const char>(content_.dump())));
  }

 private:
  std::filesystem::path file() const { return folder_ / "folds.json"; }
  /// Whether a fold was begun, so that it matters what it is of.
  bool has_begun() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with("fold-") &&
          std::filesystem::exists(RunFolder(entry.path()).run_file())) {
        return true;
      }
    }
    return false;
  }

  std::filesystem::path folder_;
  nlohmann::ordered_json content_;
};

/// Makes data set and run file of a fold that is not complete. Whether it goes on.
bool begin_fold(const RunConfig& config, const FoldPlan& plan, std::size_t fold) {
  const FoldFolder files(config.output_dir, fold);
  const RunFolder run(files.path());
  run.create();
  const bool goes_on = std::filesystem::exists(run.run_file());
  if (!goes_on || !std::filesystem::exists(files.data())) {
    remove_temporary_files(files.path());
    plan.write(fold, files.data());
  }
  RunConfig its = config;
  its.data.path.names = {files.data().string()};
  its.output_dir = files.path().string();
  const std::string text = to_toml(its);
  replace_file(files.run_file(), std::as_bytes(std::span(text)));
  return goes_on;
}

/// How many folds run at a time, on how many threads each: a core each where nothing else is said.
std::pair<int, int> jobs_and_threads(const BacktestArguments& arguments,
                                     std::optional<std::int64_t> of_run_file) {
  const int cores = choose_threads({});
  const auto folds = static_cast<int>(arguments.folds);
  if (arguments.threads || of_run_file) {
    const int threads = choose_threads(arguments.threads, of_run_file);
    return {std::min(arguments.jobs.value_or(std::max(cores / threads, 1)), folds), threads};
  }
  const int jobs = std::min(arguments.jobs.value_or(cores), folds);
  return {jobs, std::max(cores / jobs, 1)};
}

/// The series or sequences, opened and divided.
FoldPlan plan_of(const RunConfig& config, Dataset& data, const BacktestArguments& arguments) {
  FoldPlan plan =
      data.is_forecast() ? plan_series(config, data, arguments) : plan_sequences(data, arguments);
  expect_no_leak(config, data, plan.notes);
  return plan;
}

/// Returns the table.
std::string write_results(const RunConfig& config, const BacktestArguments& arguments) {
  std::vector<std::filesystem::path> files;
  for (std::size_t fold = 0; std::cmp_less(fold, arguments.folds); ++fold) {
    files.push_back(FoldFolder(config.output_dir, fold).result());
  }
  const FoldResults results(files);
  const std::filesystem::path folder(config.output_dir);
  const auto write = [&](const char* name, const std::string& text) {
    replace_file(folder / name, std::as_bytes(std::span(text)));
  };
  write("backtest.csv", results.to_csv());
  write("backtest.json", results.to_json() + "\n");
  return arguments.json ? results.to_json() + "\n" : results.to_text();
}

/// Throws InvalidArgument in the first of several ranks. False in the others.
bool expect_one_rank() {
  const auto found = launch(environment());
  if (!found || found->world_size <= 1) return true;
  if (!apps::is_first(environment())) return false;
  throw InvalidArgument(
      fmt::format("backtest: expected one process, which runs its folds side by side (--jobs), "
                  "found {} ranks of {}",
                  found->world_size, found->launcher));
}

/// The folds without a result. Of expanding folds the last ones take longest, so they come first.
std::vector<std::size_t> folds_to_run(const std::filesystem::path& folder, const FoldPlan& plan) {
  std::vector<std::size_t> folds;
  for (std::size_t fold = plan.folds.size(); fold-- > 0;) {
    if (!std::filesystem::exists(FoldFolder(folder, fold).result())) folds.push_back(fold);
  }
  return folds;
}

}  // namespace

int run_backtest(const BacktestArguments& arguments, std::string& results) {
  if (!expect_one_rank()) return kExitWrongUse;
  expect_counts(arguments);
  RunConfig config = read_run_config(arguments.run_file, arguments.overrides);
  const auto [jobs, threads] =
      jobs_and_threads(arguments, std::exchange(config.train.threads, std::nullopt));
  RunConfig checked = config;
  if (read_dataset_task(config.data.path.names.front()) == "language_model") {
    throw DataError(fmt::format(
        "{}: expected series or sequences to divide into folds, found a text", config.data_text()));
  }
  streams_of(checked);
  Dataset data(config.data_paths(), config.window(), {}, config.train.loss.ignore_index);
  expect_trainable(checked, data);
  const FoldPlan plan = plan_of(config, data, arguments);
  const PlanFile plan_file(config, plan);
  plan_file.expect_same();
  const RunFolder folder(config.output_dir);
  folder.create();
  const RunLock lock(folder.path());
  if (!lock.warning().empty()) warn(lock.warning());
  plan_file.expect_same();  // as another process may have left it since then
  plan_file.write();
  for (const std::string& line : plan.notes) note(line);
  catch_stop_signals();

  const auto say = [&](const std::string& line) {
    if (!arguments.quiet) tell(line);
  };
  const FoldRuns runs{.folder = folder.path(),
                      .folds = folds_to_run(folder.path(), plan),
                      .jobs = jobs,
                      .threads = threads,
                      .begin = [&](std::size_t fold) { return begin_fold(config, plan, fold); },
                      .say = say};
  const std::size_t complete = plan.folds.size() - runs.folds.size();
  say(fmt::format("{}: {}{}; {} at a time, {} thread{} each", config.data_text(), plan.text,
                  complete > 0 ? fmt::format(", {} of them done before", complete) : "", jobs,
                  threads, threads == 1 ? "" : "s"));
  if (!run_folds(runs)) {
    say(fmt::format(
        "stopped by a signal; what was trained is saved in {}; the same command goes on",
        folder.path().string()));
    return kExitStopped;
  }
  results = write_results(config, arguments);
  return kExitDone;
}

int backtest(const BacktestArguments& arguments) {
  std::string results;
  const int code = run_backtest(arguments, results);
  fmt::print("{}", results);
  return code;
}

}  // namespace quadgate::apps
