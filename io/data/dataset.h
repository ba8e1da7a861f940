#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "io/data/data_description.h"

namespace quadgate {
namespace detail {
struct OpenDataset;
}

/// The rows of one part of a data set: sequences, or the windows of a forecast.
class Split {
 public:
  virtual ~Split() = default;

  /// Number of sequences or windows; at least 1.
  virtual std::int64_t size() const noexcept = 0;
  /// Steps of sequence `row`.
  virtual std::int64_t length(std::int64_t row) const noexcept = 0;
  /// Steps of the longest sequence.
  virtual std::int64_t max_len() const noexcept = 0;
  /// Cuts the rows into parts that are best read as a whole, about kChunkBytes or what the file
  /// compresses as one: the first row of each part, then size().
  virtual std::vector<std::int64_t> chunks() const { return {0, size()}; }
  /// Whether reading rows in any order, not by chunks, is slow: a large compressed file.
  virtual bool wants_chunks() const { return false; }
  /// "FILE: dataset 'train/x' row 17", to begin an error message with.
  virtual std::string where(std::int64_t row) const = 0;

  /// Replaces `batch` with these rows, in this order. Throws FileError if the file cannot be read,
  /// DataError if a value is not finite or a label or token is out of range: "FILE: train/x row 17:
  /// ...".
  /// One thread at a time.
  virtual void read(std::span<const std::int64_t> rows, Batch& batch) = 0;

 protected:
  static constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;
};

/// The newest `format_version` of data sets: 2 has forecasts of several series.
inline constexpr std::int64_t kNewestDatasetVersion = 2;

/// A data set (HDF5, format "quadgate-dataset"), open for reading: a file, or several as one, the
/// rows of the first before those of the second, ...
///
/// Root attributes: format, format_version = 1 (1 if missing), task (classification, tagging,
/// regression or forecast), and those of DataDescription, each of which may be missing.
/// Groups train, valid, test: `x` float32 [n, T, I], or [sum of lengths, I] with `offsets` int64
/// [n + 1]; or `x` int32 [n, T] or [sum of lengths], tokens out of `token_names`; `y` int64 [n]
/// (classification), int64 [sum of lengths] (tagging), float32 [n, O] (regression). A forecast
/// keeps its series once, `x` [L, C] being one dataset under all groups, whose attributes `begin`
/// and `end` are the rows that the group's targets lie in; its inputs may reach back before
/// `begin`. Targets of a window are the next `horizon` rows of the target columns: [horizon,
/// targets], flattened. With several series, in format version 2, x holds one after the other, and
/// a group has, in the place of the attributes, `ranges` int64 [G, 3]: for each series where its
/// own rows begin, and the begin and end of its targets. Windows lie within a series, which may be
/// too short to have some. The root attribute `series_names` [G] may name them. A language model's
/// text is `x` int32 [L]; see StreamSplit for its rows.
class Dataset {
 public:
  /// Opens and checks the file. `window` is for a forecast, `streams` for a language model, and
  /// only for one; `ignore_index` is a label beside those of the classes. Throws FileError, naming
  /// file, dataset or attribute, expected and found; DataError if a split is empty or a label out
  /// of range; InvalidArgument if window or streams do not fit.
  explicit Dataset(const std::filesystem::path& path, const std::optional<Window>& window = {},
                   const std::optional<Streams>& streams = {},
                   std::int64_t ignore_index = kIgnoreIndex);
  /// Several files as one data set; a split is those of the files that have it. Throws
  /// InvalidArgument if there is no path, or several of a text; FileError, naming file and field,
  /// expected and found, unless they agree on task, sizes, names and standardization.
  explicit Dataset(std::span<const std::filesystem::path> paths,
                   const std::optional<Window>& window = {},
                   const std::optional<Streams>& streams = {},
                   std::int64_t ignore_index = kIgnoreIndex);
  ~Dataset();
  Dataset(Dataset&& other) noexcept;
  Dataset& operator=(Dataset&& other) noexcept;

  /// Of the first file.
  const std::filesystem::path& path() const noexcept;
  /// Forecasts are regressions; language models are tagging, every token with the next one.
  Task task() const noexcept;
  bool is_forecast() const noexcept { return description().window.has_value(); }
  /// I, the features of a step; 0 if a step is a token.
  std::int64_t input_size() const noexcept;
  /// Tokens in the vocabulary; 0 if a step has features.
  std::int64_t vocabulary_size() const noexcept {
    return static_cast<std::int64_t>(description().token_names.size());
  }
  /// Classes, or values to predict: O, or horizon x targets of a forecast.
  std::int64_t output_size() const noexcept;
  /// Names, standardization, and the window with its targets named. Features and classes without
  /// names in the file are called "0", "1", ..., classes up to the largest label.
  const DataDescription& description() const noexcept;

  /// Those of "train", "valid", "test" that there are, in this order.
  std::vector<std::string> split_names() const;
  bool has_split(const std::string& name) const;
  /// Throws InvalidArgument if the file has none of that name. Lives as long as the data set.
  Split& split(const std::string& name);

 private:
  std::unique_ptr<detail::OpenDataset> open_;
};

/// The `task` attribute of a data set's file: "classification", "tagging", "regression", "forecast"
/// or "language_model". Throws FileError.
std::string read_dataset_task(const std::filesystem::path& path);

}  // namespace quadgate
