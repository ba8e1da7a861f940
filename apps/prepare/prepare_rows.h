#pragma once

#include <filesystem>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "apps/common/signals.h"
#include "apps/prepare/prepare_job.h"
#include "apps/prepare/prepare_notes.h"
#include "apps/prepare/prepare_progress.h"

/// What the kinds of files have in common that hold sequences or texts.
namespace quadgate::apps {

using Files = std::vector<std::filesystem::path>;

/// Whether a split has files of its own.
struct IsGiven {
  bool operator()(const Files& files) const { return !files.empty(); }
};

/// `read` makes sequences or a text of an input; `write` makes a data set of them.
/// `has` tells of the files of a split whether there is one.
template <typename Read, typename Write, typename Has = IsGiven>
void prepare_rows(const PrepareJob& job, const char* unit, Read read, Write write, Has has = {}) {
  catch_stop_signals(/*ends_reads=*/true);
  std::optional<PrepareProgress> progress(std::in_place);
  const PrepareArguments& arguments = job.arguments;
  const ImportOptions import = job.import_options(progress->observer());
  auto data = read(arguments.inputs, import);
  using Data = decltype(data);
  constexpr bool kIsOfSequences = std::is_same_v<Data, LabelledSequences>;
  std::optional<Data> valid;
  std::optional<Data> test;
  if (has(arguments.valid)) valid = read(arguments.valid, import);
  if (has(arguments.test)) test = read(arguments.test, import);
  if constexpr (kIsOfSequences) job.expect_known_task(data);
  const PrepareSummary summary =
      write(arguments.output, data, valid, test, job.options(progress->observer()));
  progress.reset();  // ends its line
  job.say(summary, unit);
  if constexpr (kIsOfSequences) {
    for (const Data* const file : {&data, valid ? &*valid : nullptr, test ? &*test : nullptr}) {
      if (file == nullptr) continue;
      const Lines notes = notes_on(*file, job.missing());
      if (!notes.empty()) job.say(file->path.string() + ":\n");
      job.say(file->path, notes);
      if (job.is_quiet()) job.words->left_out += file->dropped_sequences;
    }
  } else if (job.words != nullptr) {
    job.words->tokens = std::move(data.tokens);
  }
}

}  // namespace quadgate::apps
