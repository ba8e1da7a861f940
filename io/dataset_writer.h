#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate {

/// Labelled sequences in memory, as importers read them.
struct LabelledSequences {
  std::filesystem::path path{};  ///< that they were read from, for messages
  std::int64_t input_size = 0;
  std::vector<std::string> class_names{};  ///< by label
  std::vector<float> x{};                  ///< [sum of lengths, input_size]
  std::vector<std::int64_t> offsets{};  ///< [n + 1]: sequence i is steps offsets[i]..offsets[i+1]
  std::vector<std::int64_t> labels{};   ///< [n]

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(labels.size()); }
};

/// A multivariate series in memory, as importers read it.
struct Series {
  std::filesystem::path path{};  ///< that it was read from, for messages
  std::vector<std::string> feature_names{};
  std::vector<float> x{};  ///< [L, C], C = feature_names.size()

  std::int64_t size() const noexcept {
    return feature_names.empty() ? 0 : static_cast<std::int64_t>(x.size() / feature_names.size());
  }
};

/// How the input is divided and scaled.
struct PrepareOptions {
  double valid_fraction = 0;   ///< of the rows; 0: no such split
  double test_fraction = 0;    ///< of the rows; 0: no such split, unless a test file is given
  bool standardize = false;    ///< to mean 0, std 1 of each feature over the training rows
  std::int64_t min_count = 1;  ///< of tokens: how often a word must occur in them
};

/// What was written.
struct PrepareSummary {
  std::int64_t train = 0;  ///< sequences, sentences, rows of the series or tokens of the text
  std::int64_t valid = 0;
  std::int64_t test = 0;
  std::int64_t vocabulary = 0;  ///< tokens; 0 without tokens
};

/// Writes a classification data set, atomically. Validation and test rows are drawn at random
/// (Philox, seed 1); with `test`, its rows are the test split. Sequences of one length are stored
/// as [n, T, I], else with offsets. Throws InvalidArgument if a fraction is out of range or leaves
/// a split empty, or `test` has other features or classes; DataError if a value is not finite;
/// FileError if the file cannot be written. An existing file then stays as it was.
PrepareSummary write_classification(const std::filesystem::path& path, LabelledSequences data,
                                    std::optional<LabelledSequences> test,
                                    const PrepareOptions& options);

/// Writes a forecast data set, atomically. The splits follow each other in time: train, valid,
/// test; `test`, if given, continues the series. Throws like write_classification.
PrepareSummary write_forecast(const std::filesystem::path& path, Series data,
                              const std::optional<Series>& test, const PrepareOptions& options);

}  // namespace quadgate
