#include "apps/prepare/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/prepare/prepare_progress.h"
#include "engine/base/error.h"
#include "io/importers/conllu.h"
#include "io/importers/csv.h"
#include "io/importers/idx.h"
#include "io/importers/missing_values.h"
#include "io/importers/npz.h"
#include "io/importers/plain_text.h"
#include "io/importers/ts.h"
#include "io/importers/tsf.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"
#include "io/prepare/token_writer.h"

namespace quadgate::apps {
namespace {

/// Words, or characters to tag, that occur once stand for those that never do, so that <unk> is
/// trained.
constexpr std::int64_t kMinWordCount = 2;

TextLevel level_of(const PrepareArguments& arguments, TextLevel usual) {
  if (arguments.level.empty()) return usual;
  return arguments.level == to_string(TextLevel::words) ? TextLevel::words : TextLevel::characters;
}

PrepareOptions options_of(const PrepareArguments& arguments, ProgressObserver observer) {
  return {.valid_fraction = arguments.valid_fraction,
          .test_fraction = arguments.test_fraction,
          .seed = arguments.seed.value_or(PrepareOptions().seed),
          .standardize = arguments.standardize,
          .min_count = arguments.min_count.value_or(1),
          .gzip = arguments.gzip,
          .observer = std::move(observer)};
}

void print(const PrepareArguments& arguments, const PrepareSummary& summary, const char* unit) {
  fmt::print("wrote {}: {} train, {} valid, {} test {}{}\n", arguments.output.string(),
             summary.train, summary.valid, summary.test, unit,
             arguments.standardize ? ", standardized" : "");
  if (summary.vocabulary > 0) {
    fmt::print("vocabulary: {} tokens\n", summary.vocabulary);
  }
}

CsvOptions csv_options_of(const PrepareArguments& arguments) {
  CsvOptions options{
      .columns = {{}, arguments.time, arguments.group},
      .delimiter = {},
      .decimal = {},
      .missing = missing_policy_from_name(arguments.missing),
      .valid_from = arguments.valid_from,
      .test_from = arguments.test_from,
      .resample = arguments.resample,
  };
  for (const std::string& names : arguments.columns) {
    for (std::string& name : split_names(names))
      options.columns.features.push_back(std::move(name));
  }
  if (arguments.delimiter == "tab") {
    options.delimiter = '\t';
  } else if (arguments.delimiter.size() == 1) {
    options.delimiter = arguments.delimiter[0];
  } else if (!arguments.delimiter.empty()) {
    throw InvalidArgument(
        fmt::format("--delimiter: expected one character or tab, found '{}'", arguments.delimiter));
  }
  if (!arguments.date_order.empty()) {
    options.date_order =
        arguments.date_order == "day-first" ? DateOrder::day_first : DateOrder::month_first;
  }
  if (!arguments.decimal.empty()) options.decimal = arguments.decimal[0];
  return options;
}

std::string note_on_filled(std::int64_t values, const std::string& policy) {
  return values > 0 ? fmt::format("missing values: {} filled ({})\n", values, policy) : "";
}

/// What was done to the rows of series, lines of it.
std::string note_on(const Series& series, const std::string& policy) {
  std::string note;
  if (series.parts.size() > 1) note += fmt::format("series: {}\n", series.parts.size());
  note += note_on_filled(series.filled_values, policy);
  if (series.dropped_rows > 0) {
    note += fmt::format("rows left out since values are missing: {}\n", series.dropped_rows);
  }
  if (series.steps_back > 0) {
    note +=
        fmt::format("rows whose time is before that of the row before: {}\n", series.steps_back);
  }
  if (series.same_times > 0) {
    note += fmt::format("rows at the time of the row before: {}\n", series.same_times);
  }
  if (series.time_gaps > 0) {
    note +=
        fmt::format("gaps, steps in time that are longer than the usual: {}\n", series.time_gaps);
  }
  return note;
}

std::string note_on(const LabelledSequences& data, const std::string& policy) {
  std::string note = note_on_filled(data.filled_values, policy);
  if (data.dropped_steps > 0) {
    note += fmt::format("steps left out since values are missing: {}\n", data.dropped_steps);
  }
  if (data.dropped_sequences > 0) {
    note +=
        fmt::format("sequences left out since values are missing: {}\n", data.dropped_sequences);
  }
  if (data.has_times) note += "times of steps are left out: each step is one\n";
  return note.empty() ? "" : fmt::format("{}:\n{}", data.path.string(), note);
}

using Files = std::vector<std::filesystem::path>;

struct IsGiven {
  bool operator()(const Files& files) const { return !files.empty(); }
};

/// Writes the data set of series.
void write_series(const PrepareArguments& arguments, Series series,
                  std::optional<PrepareProgress>& progress) {
  const std::string note = note_on(series, arguments.missing);
  const PrepareSummary summary = write_forecast(arguments.output, std::move(series),
                                                options_of(arguments, progress->observer()));
  progress.reset();  // ends its line
  print(arguments, summary, "rows");
  fmt::print("{}", note);
}

/// Writes the data set of series that `read` makes of the input.
template <typename Read>
void prepare_series(const PrepareArguments& arguments, Read read) {
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
  catch_stop_signals();
  std::optional<PrepareProgress> progress(std::in_place);
  write_series(arguments,
               read({.spool = {.output = arguments.output}, .observer = progress->observer()}),
               progress);
}

/// `read` makes sequences or a text of an input; `write` makes a data set of them.
/// `has` tells of the files of a split whether there is one.
template <typename Read, typename Write, typename Has = IsGiven>
void prepare(const PrepareArguments& arguments, const char* unit, Read read, Write write,
             Has has = {}) {
  catch_stop_signals();
  std::optional<PrepareProgress> progress(std::in_place);
  const ImportOptions import{.spool = {.output = arguments.output},
                             .observer = progress->observer()};
  const auto data = read(arguments.inputs, import);
  std::optional<std::remove_const_t<decltype(data)>> valid;
  std::optional<std::remove_const_t<decltype(data)>> test;
  if (has(arguments.valid)) valid = read(arguments.valid, import);
  if (has(arguments.test)) test = read(arguments.test, import);
  const PrepareSummary summary =
      write(arguments.output, data, valid, test, options_of(arguments, progress->observer()));
  progress.reset();  // ends its line
  print(arguments, summary, unit);
  if constexpr (std::is_same_v<decltype(data), const LabelledSequences>) {
    fmt::print("{}", note_on(data, arguments.missing));
    if (valid) fmt::print("{}", note_on(*valid, arguments.missing));
    if (test) fmt::print("{}", note_on(*test, arguments.missing));
  }
}

void warn_of_unread(const NpzFile& file, bool is_divided) {
  const bool has_valid = file.has("x_valid");
  const std::vector<std::string> of_splits{"_train", has_valid ? "_valid" : "_val", "_test"};
  const auto unread = unread_arrays(file, is_divided ? of_splits : std::vector<std::string>{""});
  if (unread.empty()) return;
  warn(fmt::format("{}: not read: array{} '{}'", file.path().string(),
                   unread.size() == 1 ? "" : "s", fmt::join(unread, "', '")));
}

}  // namespace

void expect_free_output(const PrepareArguments& arguments) {
  for (const Files* files : {&arguments.inputs, &arguments.valid, &arguments.test}) {
    expect_no_input(arguments.output, *files);
  }
  if (!arguments.force) expect_same_format(arguments.output, kDatasetFormat);
}

void prepare_idx(const PrepareArguments& arguments) {
  const auto read = [](const auto& files, const ImportOptions& options) {
    return read_idx(files.at(0), files.at(1), options);
  };
  prepare(arguments, "sequences", read, write_sequences);
}

void prepare_ts(const PrepareArguments& arguments) {
  const MissingPolicy missing = missing_policy_from_name(arguments.missing);
  if (!is_tsf(arguments.inputs.at(0))) {
    const auto read = [&](const auto& files, const ImportOptions& options) {
      return read_ts(files.at(0), missing, options);
    };
    prepare(arguments, "sequences", read, write_sequences);
    return;
  }
  prepare_series(arguments, [&](const ImportOptions& options) {
    return read_tsf(arguments.inputs.at(0), missing, options);
  });
}

void prepare_csv(const PrepareArguments& arguments) {
  const CsvOptions options = csv_options_of(arguments);
  catch_stop_signals();
  std::optional<PrepareProgress> progress(std::in_place);
  CsvImporter importer(options,
                       {.spool = {.output = arguments.output}, .observer = progress->observer()});
  const std::array splits{&arguments.inputs, &arguments.valid, &arguments.test};
  for (std::size_t split = 0; split < splits.size(); ++split) {
    for (const auto& file : *splits[split]) {
      importer.read(file, split);
    }
  }
  write_series(arguments, importer.take(), progress);
  for (const std::string& line : importer.findings().files) note(line);
  for (const std::string& line : importer.findings().warnings) warn(line);
}

void prepare_npz(const PrepareArguments& arguments) {
  const MissingPolicy missing = missing_policy_from_name(arguments.missing);
  const NpzFile file(arguments.inputs.at(0));
  const bool is_divided = file.has("x_train");
  warn_of_unread(file, is_divided);
  if (!is_divided && !file.has("y")) {
    prepare_series(arguments, [&](const ImportOptions& options) {
      return fill_missing(read_npz_series(file, options), missing, options.spool);
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
                     missing, options.spool);
    is_regression = data.task == Task::regression;
    return data;
  };
  const auto has = [&](const Files& files) {
    return !files.empty() || (is_divided && file.has(std::string("x") + suffix(files)));
  };
  prepare(arguments, "sequences", read, write_sequences, has);
  if (is_regression) {
    fmt::print("y holds floats: values to predict (a regression); integers would be classes\n");
  }
}

void prepare_conllu(const PrepareArguments& arguments) {
  PrepareArguments resolved = arguments;
  resolved.min_count = arguments.min_count.value_or(kMinWordCount);
  const ConlluSource source{.column = parse_conllu_column(arguments.column).value(),
                            .level = level_of(arguments, TextLevel::words)};
  WordList words;
  WordList classes;
  std::int64_t unlabelled = 0;
  std::optional<std::int64_t> of_training;
  const auto read = [&](const auto& files, const ImportOptions& options) {
    TaggedSentences data = read_conllu(files, source, words, classes, options);
    unlabelled += data.unlabelled;
    if (!of_training) of_training = classes.size();
    return data;
  };
  prepare(resolved, "sentences", read, [&](const auto& path, const auto&... rest) {
    return write_tagging(path, words, rest...);
  });
  if (unlabelled > 0)
    fmt::print("words without {}, which do not count: {}\n", arguments.column, unlabelled);
  if (source.column != ConlluColumn::upos) fmt::print("classes: {}\n", classes.size());
  if (const std::int64_t others = classes.size() - *of_training; others > 0) {
    note(fmt::format("{} of {} classes of {} are in no sentence of {}: no model learns them",
                     others, classes.size(), arguments.column, arguments.inputs.at(0).string()));
  }
}

void prepare_text(const PrepareArguments& arguments) {
  PrepareArguments resolved = arguments;
  const TextLevel level = level_of(arguments, TextLevel::characters);
  if (level == TextLevel::words) resolved.min_count = arguments.min_count.value_or(kMinWordCount);
  WordList words;
  const auto read = [&](const auto& files, const ImportOptions& options) {
    return read_plain_text(files, level, words, options);
  };
  prepare(resolved, "tokens", read, [&](const auto& path, const auto&... rest) {
    return write_language_model(path, words, rest...);
  });
}

}  // namespace quadgate::apps
