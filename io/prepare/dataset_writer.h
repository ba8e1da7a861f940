#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/config.h"
#include "io/data/data_description.h"
#include "io/files/file_progress.h"
#include "io/files/spool.h"

namespace quadgate {

/// Sequences with a label, a label a step or values each, as importers read them.
struct LabelledSequences {
  explicit LabelledSequences(std::filesystem::path from = {}, const SpoolOptions& spool = {})
      : path(std::move(from)), x(spool), lengths(spool), labels(spool), targets(spool) {}

  std::int64_t size() const noexcept { return lengths.size(); }
  /// Adds a sequence [T, input_size]; all of them as floats, or all as doubles.
  void add(std::span<const float> steps, std::int64_t label) {
    x.append(steps);
    add_label(std::ssize(steps), label);
  }
  void add(std::span<const double> steps, std::int64_t label) {
    x.append(steps);
    add_label(std::ssize(steps), label);
  }

  std::filesystem::path path;  ///< where they come from, for messages
  Task task = Task::classification;
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;              ///< O, of a regression
  std::vector<std::string> feature_names{};  ///< or none
  std::vector<std::string> class_names{};    ///< by label
  SpooledFloats x;                           ///< [sum of lengths, input_size]
  SpooledIntegers lengths;                   ///< [n]
  SpooledIntegers labels;                    ///< [n], or [sum of lengths] of tagging
  SpooledFloats targets;                     ///< [n, O] of a regression
  bool fill_with_mean = false;         ///< NaN in x is the mean of the feature's training steps
  std::int64_t filled_values = 0;      ///< values that were missing
  std::int64_t dropped_steps = 0;      ///< steps left out, since a value was missing
  std::int64_t dropped_sequences = 0;  ///< sequences left out, since a value was missing
  bool has_times = false;              ///< the input has times of steps, which are left out
  bool has_targets = true;             ///< else labels are kIgnoreIndex, and targets 0

 private:
  void add_label(std::int64_t values, std::int64_t label) {
    lengths.push_back(values / input_size);
    labels.push_back(label);
  }
};

/// How the input is divided, standardized and stored.
struct PrepareOptions {
  double valid_fraction = 0;        ///< of the rows; 0: no such split, unless a file is given
  double test_fraction = 0;         ///< of the rows; 0: no such split, unless a file is given
  std::uint64_t seed = 1;           ///< of the rows that are drawn
  bool standardize = false;         ///< to mean 0, std 1 of each feature over the training rows
  bool standardize_series = false;  ///< likewise of each series alone
  std::int64_t min_count = 1;       ///< of tokens: how often a word must occur in them
  bool gzip = false;                ///< arrays in compressed chunks, else as they are in memory
  ProgressObserver observer{};      ///< if any, is told how far the writer is
  std::optional<Recipe> recipe{};   ///< how the input was read, to be kept
  const DataDescription* like = nullptr;  ///< if not null, whose features, classes, vocabulary and
                                          ///< scale the data set gets
};

/// What was written.
struct PrepareSummary {
  std::int64_t train = 0;  ///< sequences, sentences, rows of the series or tokens of the text
  std::int64_t valid = 0;
  std::int64_t test = 0;
  std::int64_t vocabulary = 0;  ///< tokens; 0 without tokens
  /// Series standardized by rows that no model was trained on: those that options.like does not
  /// know, or that have no training rows.
  std::vector<std::string> own_scales{};
};

/// Writes a data set of sequences, atomically. It draws validation and test rows at random
/// (Philox), unless there are `valid` and `test`; in a classification each class has its share, and
/// at least a row of each split that it has enough rows for. It stores sequences of one length as
/// [n, T, I], others with offsets, and no y where nobody knows the targets. Throws InvalidArgument
/// if a fraction is out of range, leaves a split empty or stands beside that split's rows;
/// DataError if a value is not finite, if `valid` or `test` has other features, classes or values,
/// or if the input lacks features of options.like or has other classes; FileError if the file
/// cannot be written. An existing file then stays as it was.
PrepareSummary write_sequences(const std::filesystem::path& path, const LabelledSequences& data,
                               const std::optional<LabelledSequences>& valid,
                               const std::optional<LabelledSequences>& test,
                               const PrepareOptions& options);

}  // namespace quadgate
