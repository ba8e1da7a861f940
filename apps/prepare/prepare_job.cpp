#include "apps/prepare/prepare_job.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>

#include "apps/common/host.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"

namespace quadgate::apps {

ImportOptions PrepareJob::import_options(ProgressObserver observer) const {
  ImportOptions options{.spool = {.output = arguments.output}, .observer = std::move(observer)};
  if (known != nullptr) options.unlabelled = network_task(known->task);
  return options;
}

TextLevel PrepareJob::level(TextLevel usual) const {
  if (arguments.level.empty()) return usual;
  return arguments.level == to_string(TextLevel::words) ? TextLevel::words : TextLevel::characters;
}

void PrepareJob::expect_known_task(const LabelledSequences& data) const {
  if (known == nullptr || data.task == network_task(known->task)) return;
  throw DataError(fmt::format("{}: expected targets of a {}, as those of {}, found a {}",
                              data.path.string(), known->task, known->path.string(),
                              to_string(data.task)));
}

PrepareOptions PrepareJob::options(ProgressObserver observer) const {
  const bool makes_vocabulary =
      known == nullptr && (arguments.kind == "conllu" || arguments.kind == "text");
  const std::int64_t min_count = arguments.min_count.value_or(1);
  return {.valid_fraction = arguments.valid_fraction,
          .test_fraction = arguments.test_fraction,
          .seed = arguments.seed.value_or(PrepareOptions().seed),
          .standardize = arguments.standardize,
          .standardize_series = arguments.standardize_series,
          .min_count = min_count,
          .gzip = arguments.gzip,
          .observer = std::move(observer),
          .recipe = Recipe{.kind = arguments.kind,
                           .missing = missing(),
                           .min_count = makes_vocabulary ? min_count : 0},
          .like = known != nullptr ? &known->data : nullptr};
}

void PrepareJob::say(const std::string& text) const {
  if (is_quiet()) return;
  if (host() == nullptr) return fmt::print("{}", text);
  tell(text.substr(0, text.find_last_not_of('\n') + 1));
}

void PrepareJob::say(const std::filesystem::path& path, const Lines& notes) const {
  if (notes.empty()) return;
  if (!is_quiet()) return say(fmt::format("{}\n", fmt::join(notes, "\n")));
  words->notes.push_back(fmt::format("{}: {}", path.string(), fmt::join(notes, "; ")));
}

void PrepareJob::say(const PrepareSummary& summary, const char* unit) const {
  const bool is_scaled = known != nullptr ? is_standardized(known->data)
                                          : arguments.standardize || arguments.standardize_series;
  say(fmt::format("wrote {}: {} train, {} valid, {} test {}{}\n", arguments.output.string(),
                  summary.train, summary.valid, summary.test, unit,
                  is_scaled ? ", standardized" : ""));
  if (summary.vocabulary > 0) say(fmt::format("vocabulary: {} tokens\n", summary.vocabulary));
}

}  // namespace quadgate::apps
