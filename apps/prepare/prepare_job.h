#pragma once

#include <filesystem>
#include <string>

#include "apps/prepare/prepare.h"
#include "apps/prepare/prepare_notes.h"
#include "io/importers/import_options.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate::apps {

/// What is to be written of what.
struct PrepareJob {
  PrepareArguments arguments{};
  const KnownData* known = nullptr;  ///< that the input is like, if not null
  InputWords* words = nullptr;       ///< if not null, get the words, and nothing goes to stdout

  bool is_quiet() const noexcept { return words != nullptr; }
  std::string missing() const { return arguments.missing.empty() ? "error" : arguments.missing; }
  MissingPolicy policy() const { return missing_policy_from_name(missing()); }
  TextLevel level(TextLevel usual) const;
  /// Throws DataError unless sequences are for the task of the data that they shall be like.
  void expect_known_task(const LabelledSequences& data) const;
  ImportOptions import_options(ProgressObserver observer) const;
  PrepareOptions options(ProgressObserver observer) const;

  void say(const std::string& text) const;
  /// Says what was done to the rows of a file.
  void say(const std::filesystem::path& path, const Lines& notes) const;
  /// Says what was written: so many `unit`.
  void say(const PrepareSummary& summary, const char* unit) const;
};

}  // namespace quadgate::apps
