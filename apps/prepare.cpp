#include <fmt/format.h>

#include "apps/commands.h"
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

PrepareOptions options_of(const PrepareArguments& arguments) {
  return {arguments.valid_fraction, arguments.test_fraction, arguments.standardize,
          arguments.min_count.value_or(1)};
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
  auto data = read(arguments.inputs);
  std::optional<decltype(data)> test;
  if (!arguments.test.empty()) {
    test = read(arguments.test);
  }
  print(arguments, write(arguments.output, std::move(data), test, options_of(arguments)), unit);
}

}  // namespace

void prepare_idx(const PrepareArguments& arguments) {
  prepare(
      arguments, "sequences", [](const auto& files) { return read_idx(files.at(0), files.at(1)); },
      write_classification);
}

void prepare_ts(const PrepareArguments& arguments) {
  prepare(
      arguments, "sequences", [](const auto& files) { return read_ts(files.at(0)); },
      write_classification);
}

void prepare_csv(const PrepareArguments& arguments) {
  prepare(
      arguments, "rows", [](const auto& files) { return read_csv(files.at(0)); }, write_forecast);
}

void prepare_conllu(const PrepareArguments& arguments) {
  PrepareArguments resolved = arguments;
  resolved.min_count = arguments.min_count.value_or(kMinWordCount);
  const TextLevel level = level_of(arguments, TextLevel::words);
  const auto read = [level](const auto& files) { return read_conllu(files, level); };
  std::optional<TaggedSentences> valid;
  if (!arguments.valid.empty()) valid = read(arguments.valid);
  prepare(resolved, "sentences", read,
          [&](const auto& path, const auto& data, const auto& test, const auto& options) {
            return write_tagging(path, data, valid, test, options);
          });
}

void prepare_text(const PrepareArguments& arguments) {
  PrepareArguments resolved = arguments;
  const TextLevel level = level_of(arguments, TextLevel::characters);
  if (level == TextLevel::words) resolved.min_count = arguments.min_count.value_or(kMinWordCount);
  prepare(
      resolved, "tokens", [level](const auto& files) { return read_plain_text(files, level); },
      write_language_model);
}

}  // namespace quadgate::apps
