#include "apps/prepare/prepare_tokens.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "apps/common/warn.h"
#include "apps/prepare/prepare_rows.h"
#include "io/importers/conllu.h"
#include "io/importers/plain_text.h"
#include "io/prepare/token_writer.h"

namespace quadgate::apps {
namespace {

/// Words, or characters to tag, that occur once stand for those that never do, so that <unk> is
/// trained.
constexpr std::int64_t kMinWordCount = 2;

}  // namespace

void prepare_conllu(PrepareJob job) {
  PrepareArguments& arguments = job.arguments;
  arguments.min_count = arguments.min_count.value_or(kMinWordCount);
  if (arguments.column.empty()) arguments.column = to_string(ConlluColumn::upos);
  const ConlluSource source{.column = parse_conllu_column(arguments.column).value(),
                            .level = job.level(TextLevel::words)};
  WordList own;
  WordList& words = job.words != nullptr ? job.words->words : own;
  WordList classes;
  std::int64_t unlabelled = 0;
  std::optional<std::int64_t> of_training;
  const auto read = [&](const auto& files, const ImportOptions& options) {
    TaggedSentences data = read_conllu(files, source, words, classes, options);
    unlabelled += data.unlabelled;
    if (!of_training) of_training = classes.size();
    return data;
  };
  prepare_rows(job, "sentences", read, [&](const auto& path, const auto&... rest) {
    return write_tagging(path, words, rest...);
  });
  if (unlabelled > 0) {
    job.say(
        fmt::format("words without {}, which do not count: {}\n", arguments.column, unlabelled));
  }
  if (job.known != nullptr) return;
  if (source.column != ConlluColumn::upos) job.say(fmt::format("classes: {}\n", classes.size()));
  if (const std::int64_t others = classes.size() - *of_training; others > 0) {
    note(fmt::format("{} of {} classes of {} are in no sentence of {}: no model learns them",
                     others, classes.size(), arguments.column, arguments.inputs.at(0).string()));
  }
}

void prepare_text(PrepareJob job) {
  const TextLevel level = job.level(TextLevel::characters);
  if (level == TextLevel::words) {
    job.arguments.min_count = job.arguments.min_count.value_or(kMinWordCount);
  }
  WordList own;
  WordList& words = job.words != nullptr ? job.words->words : own;
  const auto read = [&](const auto& files, const ImportOptions& options) {
    return read_plain_text(files, level, words, options);
  };
  const auto write = [&](const auto& path, const auto& data, const auto& valid, const auto& test,
                         PrepareOptions options) {
    options.recipe->level = to_string(level);
    return write_language_model(path, words, data, valid, test, options);
  };
  prepare_rows(job, "tokens", read, write);
}

}  // namespace quadgate::apps
