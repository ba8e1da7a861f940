#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/file_progress.h"
#include "io/spool.h"

namespace quadgate {

/// Labelled sequences, as importers read them.
struct LabelledSequences {
  explicit LabelledSequences(std::filesystem::path from = {}, const SpoolOptions& spool = {})
      : path(std::move(from)), x(spool), lengths(spool), labels(spool) {}

  std::int64_t size() const noexcept { return labels.size(); }
  /// Adds a sequence [T, input_size].
  void add(std::span<const float> steps, std::int64_t label) {
    x.append(steps);
    lengths.push_back(std::ssize(steps) / input_size);
    labels.push_back(label);
  }

  std::filesystem::path path;  ///< that they were read from, for messages
  std::int64_t input_size = 0;
  std::vector<std::string> class_names{};  ///< by label
  SpooledFloats x;                         ///< [sum of lengths, input_size]
  SpooledIntegers lengths;                 ///< [n]
  SpooledIntegers labels;                  ///< [n]
};

/// How the input is divided, scaled and stored.
struct PrepareOptions {
  double valid_fraction = 0;    ///< of the rows; 0: no such split, unless a file is given
  double test_fraction = 0;     ///< of the rows; 0: no such split, unless a file is given
  bool standardize = false;     ///< to mean 0, std 1 of each feature over the training rows
  std::int64_t min_count = 1;   ///< of tokens: how often a word must occur in them
  bool gzip = false;            ///< arrays in compressed chunks, else as they are in memory
  ProgressObserver observer{};  ///< if any, is told how far the writer is
};

/// What was written.
struct PrepareSummary {
  std::int64_t train = 0;  ///< sequences, sentences, rows of the series or tokens of the text
  std::int64_t valid = 0;
  std::int64_t test = 0;
  std::int64_t vocabulary = 0;  ///< tokens; 0 without tokens
};

/// Writes a classification data set, atomically. Validation and test rows are drawn at random
/// (Philox, seed 1), unless there are `valid` and `test`. Sequences of one length are stored as
/// [n, T, I], else with offsets. Throws InvalidArgument if a fraction is out of range, leaves a
/// split empty or stands beside that split's rows, or `valid` or `test` has other features or
/// classes; DataError if a value is not finite; FileError if the file cannot be written. An
/// existing file then stays as it was.
PrepareSummary write_classification(const std::filesystem::path& path,
                                    const LabelledSequences& data,
                                    const std::optional<LabelledSequences>& valid,
                                    const std::optional<LabelledSequences>& test,
                                    const PrepareOptions& options);

}  // namespace quadgate
