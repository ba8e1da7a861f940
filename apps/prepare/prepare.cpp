#include "apps/prepare/prepare.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/prepare/csv_options.h"
#include "apps/prepare/like.h"
#include "apps/prepare/prepare_job.h"
#include "apps/prepare/prepare_notes.h"
#include "apps/prepare/prepare_progress.h"
#include "apps/prepare/prepare_rows.h"
#include "apps/prepare/prepare_tokens.h"
#include "engine/base/error.h"
#include "io/data/feature_view.h"
#include "io/importers/csv.h"
#include "io/importers/idx.h"
#include "io/importers/missing_values.h"
#include "io/importers/npz.h"
#include "io/importers/ts.h"
#include "io/importers/tsf.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate::apps {
namespace {

/// Writes the data set of series.
void write_series(const PrepareJob& job, Series series, const std::optional<Recipe>& recipe,
                  std::optional<PrepareProgress>& progress) {
  const std::filesystem::path path = series.path;
  const std::size_t count = series.parts.size();
  const Lines notes = notes_on(series, job.missing());
  PrepareOptions options = job.options(progress->observer());
  if (recipe) options.recipe = recipe;
  const PrepareSummary summary = write_forecast(job.arguments.output, std::move(series), options);
  progress.reset();  // ends its line
  job.say(summary, "rows");
  if (count > 1) job.say(fmt::format("series: {}\n", count));
  job.say(path, notes);
  if (summary.own_scales.empty() || job.is_quiet()) return;  // a forecast tells it as well
  note(fmt::format("{}: series {}: {}: standardized by their own rows", path.string(),
                   job.known != nullptr ? "that " + job.known->path.string() + " does not know"
                                        : "without train rows",
                   names_text(summary.own_scales)));
}

/// Writes the data set of series that `read` makes of the input, which may fill `recipe`.
template <typename Read>
void prepare_series(const PrepareJob& job, Read read, const std::optional<Recipe>& recipe = {}) {
  const PrepareArguments& arguments = job.arguments;
  if (!arguments.valid.empty() || !arguments.test.empty()) {
    throw InvalidArgument(fmt::format(
        "--valid, --test: expected none beside series, as {} holds, which fractions divide",
        arguments.inputs.at(0).string()));
  }
  if (arguments.seed) {
    throw InvalidArgument(fmt::format(
        "--seed: expected none beside series, as {} holds, whose splits follow each other in time",
        arguments.inputs.at(0).string()));
  }
  catch_stop_signals(/*ends_reads=*/true);
  std::optional<PrepareProgress> progress(std::in_place);
  Series series = read(job.import_options(progress->observer()));
  write_series(job, std::move(series), recipe, progress);
}

/// Throws InvalidArgument if series shall be standardized each by its own, and there are none.
void expect_no_series(const PrepareJob& job) {
  if (!job.arguments.standardize_series) return;
  throw InvalidArgument(
      fmt::format("--standardize-series: expected series to forecast with names, found none in {} "
                  "(--standardize takes one scale)",
                  job.arguments.inputs.at(0).string()));
}

void prepare_idx(const PrepareJob& job) {
  const auto read = [&](const Files& files, const ImportOptions& options) {
    if (files.size() < 2 && job.known == nullptr) {
      throw InvalidArgument(
          fmt::format("{}: expected a file of labels behind it, found none", files.at(0).string()));
    }
    return read_idx(files.at(0), files.size() < 2 ? std::filesystem::path() : files[1], options);
  };
  prepare_rows(job, "sequences", read, write_sequences);
}

void prepare_ts(PrepareJob job) {
  const std::filesystem::path& input = job.arguments.inputs.at(0);
  const bool is_of_series = job.known != nullptr ? job.known->task == "forecast" : is_tsf(input);
  if (!is_of_series) {
    expect_no_series(job);
    const auto read = [&](const Files& files, const ImportOptions& options) {
      return read_ts(files.at(0), job.policy(), options);
    };
    prepare_rows(job, "sequences", read, write_sequences);
    return;
  }
  job.arguments.kind = "tsf";
  std::optional<Recipe> recipe;
  std::string without_times;
  const auto read = [&](const ImportOptions& options) {
    TsfData data = read_tsf(input, job.policy(), options);
    if (job.known != nullptr) expect_same_step(*job.known, data.recipe, input);
    recipe = std::move(data.recipe);
    without_times = std::move(data.without_times);
    return std::move(data.series);
  };
  prepare_series(job, read, recipe);
  if (!without_times.empty()) {
    warn(
        fmt::format("{}: the times of the series are left out: {}", input.string(), without_times));
  }
}

void prepare_csv(const PrepareJob& job) {
  const CsvOptions options = csv_options(job);
  catch_stop_signals(/*ends_reads=*/true);
  std::optional<PrepareProgress> progress(std::in_place);
  CsvImporter importer(options, job.import_options(progress->observer()));
  const std::array splits{&job.arguments.inputs, &job.arguments.valid, &job.arguments.test};
  for (std::size_t split = 0; split < splits.size(); ++split) {
    for (const auto& file : *splits[split]) {
      importer.read(file, split);
    }
  }
  if (!job.arguments.future.empty()) importer.read_future(job.arguments.future);
  const bool has_usual = job.known != nullptr && job.known->data.recipe;
  const Recipe recipe = importer.recipe(has_usual ? job.known->data.recipe->step : TimeStep{});
  if (job.known != nullptr) {
    expect_same_step(*job.known, recipe, job.arguments.inputs.at(0), importer.first_step_back());
  }
  write_series(job, importer.take(), recipe, progress);
  for (const std::string& line : importer.findings().files) {
    if (!job.is_quiet()) note(line);
  }
  for (const std::string& line : importer.findings().warnings) warn(line);
  if (job.known == nullptr) return;
  const std::string zones = note_on_zones(*job.known, recipe, job.arguments.inputs.at(0));
  if (!zones.empty()) note(zones);
}

/// Throws DataError if the rows of a raw file are divided, and nobody says which are meant.
void expect_one_split(const NpzFile& file, const KnownData& model) {
  for (const char* const other : {"x_valid", "x_val", "x_test"}) {
    if (!file.has("x_train") || !file.has(other)) continue;
    throw DataError(fmt::format(
        "{}: expected rows of one split, found arrays x_train and {} ('quadgate prepare --like {} "
        "{} -o data.h5' makes a data set of them, for --data and --split)",
        file.path().string(), other, model.path.string(), file.path().string()));
  }
}

void prepare_npz(const PrepareJob& job) {
  const PrepareArguments& arguments = job.arguments;
  const NpzFile file(arguments.inputs.at(0));
  const bool is_divided = file.has("x_train");
  const bool is_of_series =
      job.known != nullptr ? job.known->task == "forecast" : !is_divided && !file.has("y");
  warn_of_unread(file, is_of_series, is_divided);
  if (job.is_quiet()) expect_one_split(file, *job.known);
  if (is_of_series) {
    prepare_series(job, [&](const ImportOptions& options) {
      return fill_missing(read_npz_series(file, options), job.policy(), options.spool);
    });
    return;
  }
  // A split is a file of its own, or arrays of the first one.
  const auto suffix = [&](const Files& files) {
    if (&files == &arguments.valid) return file.has("x_valid") ? "_valid" : "_val";
    return &files == &arguments.test ? "_test" : "_train";
  };
  bool is_regression = false;
  const auto read = [&](const Files& files, const ImportOptions& options) {
    const bool is_own = !files.empty() && &files != &arguments.inputs;
    LabelledSequences data =
        fill_missing(is_own ? read_npz(NpzFile(files.at(0)), "", options)
                            : read_npz(file, is_divided ? suffix(files) : "", options),
                     job.policy(), options.spool);
    is_regression = data.task == Task::regression;
    return data;
  };
  const auto has = [&](const Files& files) {
    return !files.empty() || (is_divided && file.has(std::string("x") + suffix(files)));
  };
  prepare_rows(job, "sequences", read, write_sequences, has);
  if (is_regression && job.known == nullptr) {
    job.say("y holds floats: values to predict (a regression); integers would be classes\n");
  }
}

void run(const PrepareJob& job) {
  const std::string& kind = job.arguments.kind;
  if (kind == "idx") return prepare_idx(job);
  if (kind == "ts" || kind == "tsf") return prepare_ts(job);
  if (kind == "csv") return prepare_csv(job);
  if (kind == "npz") return prepare_npz(job);
  if (kind == "conllu") return prepare_conllu(job);
  if (kind == "text") return prepare_text(job);
  throw InvalidArgument(
      fmt::format("{}: expected data read from files of csv, ts, tsf, npz, conllu, text or idx, "
                  "found '{}'",
                  job.known != nullptr ? job.known->path.string() : "prepare", kind));
}

/// Throws InvalidArgument unless data sets may lie at --output, and none of the inputs does.
void expect_free_output(const PrepareArguments& arguments) {
  const std::string kind = arguments.output.extension().string();
  if (kind != ".h5" && kind != ".hdf5") {
    throw InvalidArgument(
        fmt::format("--output: expected a name in .h5 or .hdf5, of a data set, found {}",
                    arguments.output.string()));
  }
  for (const Files* files : {&arguments.inputs, &arguments.valid, &arguments.test}) {
    expect_no_input(arguments.output, *files);
  }
  if (!arguments.like.empty()) expect_no_input(arguments.output, std::span(&arguments.like, 1));
  if (!arguments.force) expect_same_format(arguments.output, kDatasetFormat);
}

}  // namespace

void prepare(const PrepareArguments& arguments) {
  expect_free_output(arguments);
  if (arguments.like.empty()) {
    run({.arguments = arguments});
    return;
  }
  const KnownData known = read_known_data(arguments.like);
  PrepareJob job{.arguments = arguments, .known = &known};
  follow(known, job.arguments);
  run(job);
}

void prepare_like(PrepareArguments arguments, const KnownData& known, InputWords& words) {
  follow(known, arguments);
  run({.arguments = std::move(arguments), .known = &known, .words = &words});
}

}  // namespace quadgate::apps
