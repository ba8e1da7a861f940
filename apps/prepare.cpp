#include <fmt/format.h>

#include <optional>
#include <type_traits>
#include <utility>

#include "apps/commands.h"
#include "apps/prepare_progress.h"
#include "apps/signals.h"
#include "io/dataset_writer.h"
#include "io/importers/conllu.h"
#include "io/importers/csv.h"
#include "io/importers/idx.h"
#include "io/importers/plain_text.h"
#include "io/importers/ts.h"
#include "io/token_writer.h"

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

/// `read` makes sequences or a series of an input; `write` makes a data set of them.
template <typename Read, typename Write>
void prepare(const PrepareArguments& arguments, const char* unit, Read read, Write write) {
  catch_stop_signals();
  std::optional<PrepareProgress> progress(std::in_place);
  const ImportOptions import{.spool = {.output = arguments.output},
                             .observer = progress->observer()};
  const auto data = read(arguments.inputs, import);
  std::optional<std::remove_const_t<decltype(data)>> valid;
  std::optional<std::remove_const_t<decltype(data)>> test;
  if (!arguments.valid.empty()) valid = read(arguments.valid, import);
  if (!arguments.test.empty()) test = read(arguments.test, import);
  const PrepareSummary summary =
      write(arguments.output, data, valid, test, options_of(arguments, progress->observer()));
  progress.reset();  // ends its line
  print(arguments, summary, unit);
}

}  // namespace

void prepare_idx(const PrepareArguments& arguments) {
  const auto read = [](const auto& files, const ImportOptions& options) {
    return read_idx(files.at(0), files.at(1), options);
  };
  prepare(arguments, "sequences", read, write_classification);
}

void prepare_ts(const PrepareArguments& arguments) {
  const auto read = [](const auto& files, const ImportOptions& options) {
    return read_ts(files.at(0), options);
  };
  prepare(arguments, "sequences", read, write_classification);
}

void prepare_csv(const PrepareArguments& arguments) {
  const auto read = [](const auto& files, const ImportOptions& options) {
    return read_csv(files.at(0), options);
  };
  prepare(arguments, "rows", read, write_forecast);
}

void prepare_conllu(const PrepareArguments& arguments) {
  PrepareArguments resolved = arguments;
  resolved.min_count = arguments.min_count.value_or(kMinWordCount);
  const TextLevel level = level_of(arguments, TextLevel::words);
  WordList words;
  const auto read = [&](const auto& files, const ImportOptions& options) {
    return read_conllu(files, level, words, options);
  };
  prepare(resolved, "sentences", read, [&](const auto& path, const auto&... rest) {
    return write_tagging(path, words, rest...);
  });
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
