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

/// Where the window of a forecast lies.
struct WindowPlace {
  std::string series{};         ///< its name; empty if it has none
  std::int64_t first = 0;       ///< row of the series that the inputs begin at
  std::vector<double> times{};  ///< of inputs and targets, as far as they are known; or none
};

/// One part of a data set. Its rows are sequences, or the windows of a forecast.
class Split {
 public:
  virtual ~Split() = default;

  /// Number of sequences or windows; at least 1.
  virtual std::int64_t size() const noexcept = 0;
  /// Steps of sequence `row`.
  virtual std::int64_t length(std::int64_t row) const noexcept = 0;
  /// Steps of the longest sequence.
  virtual std::int64_t max_len() const noexcept = 0;
  /// The first row of each chunk, then size(). A chunk is best read as a whole: it has about
  /// kChunkBytes, or the file compresses it as one.
  virtual std::vector<std::int64_t> chunks() const { return {0, size()}; }
  /// Whether rows are slow to read in any other order than chunk by chunk, as in a large compressed
  /// file.
  virtual bool wants_chunks() const { return false; }
  /// Whether a batch has labels or targets: for predictions nobody may know them.
  virtual bool has_targets() const noexcept { return true; }
  /// Of a forecast: how many series there are, over all files, and the number of the one that
  /// window `row` lies in.
  virtual std::int64_t num_series() const noexcept { return 1; }
  virtual std::int64_t series(std::int64_t) const noexcept { return 0; }
  /// Of a forecast whose series are standardized each by its own: the scale of the one that window
  /// `row` lies in; else null.
  virtual const SeriesScale* scale(std::int64_t) const noexcept { return nullptr; }
  /// "FILE: dataset 'train/x' row 17", to begin an error message with.
  virtual std::string where(std::int64_t row) const = 0;
  /// Of a forecast: where the targets of window `row` lie.
  virtual WindowPlace place(std::int64_t row) const;

  /// Replaces `batch` with these rows, in this order. Throws FileError if the file cannot be read.
  /// Throws DataError ("FILE: train/x row 17: ...") if a value is not finite, or a label or token
  /// is out of range. One thread at a time may call it.
  virtual void read(std::span<const std::int64_t> rows, Batch& batch) = 0;

 protected:
  static constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;
};

/// The split of what comes after the last rows (see Dataset::inputs).
inline constexpr const char* kFuture = "future";

/// The `format_version` of data sets whose mean and std are float64.
inline constexpr std::int64_t kStandardizedVersion = 3;
/// The `format_version` of forecasts with covariates (see has_covariates).
inline constexpr std::int64_t kCovariatesVersion = 4;
/// The `format_version` of forecasts whose series are standardized each by its own.
inline constexpr std::int64_t kSeriesScalesVersion = 5;
/// The newest `format_version` of data sets: 2 has forecasts of several series.
inline constexpr std::int64_t kNewestDatasetVersion = kSeriesScalesVersion;

/// A data set (HDF5, format "quadgate-dataset"), open for reading: a file, or several as one. The
/// rows of the first file come before those of the second, and so on.
///
/// The root has the attributes format, format_version (1 if missing), task (classification,
/// tagging, regression, forecast or language_model) and those of DataDescription, each of which may
/// be missing. With mean and std, or those of each series, x * std + mean are the values. The
/// groups train, valid and test hold:
///
///     x  float32 [n, T, I]                features of sequences of one length
///        float32 [sum of lengths, I]      of several lengths, with `offsets` int64 [n + 1]
///        int32 [n, T], [sum of lengths]   tokens out of `token_names`, likewise
///        float32 [L, C]                   the series of a forecast: one dataset under all groups
///        int32 [L]                        the text of a language model; see StreamSplit
///     y  int64 [n]                        classification
///        int64 [sum of lengths]           tagging
///        float32 [n, O]                   regression
///
/// The attributes `begin` and `end` of a forecast's group are the rows that its targets lie in. Its
/// inputs may reach back before `begin`. The targets of a window are the next `horizon` rows of the
/// target columns: [horizon, targets], flattened. In format version 2 a forecast has several
/// series, one after the other in x. A group then has `ranges` int64 [G, 3] instead of the
/// attributes: for each series its first row, and the begin and end of its targets. Windows lie
/// within a series. A series may be too short for any. The root attribute `series_names` [G] may
/// name the series, and the dataset `time` int64 [L] beside x tells the times of rows, in
/// millionths (see Recipe). Sequences may have no y, where nobody knows the targets.
class Dataset {
 public:
  /// Opens and checks the file. Only a forecast takes a `window`, only a language model `streams`.
  /// `ignore_index` is a label beside those of the classes. With a `model`, what one knows of its
  /// data, features come by their names in its order, and in its scale, whatever those of the file
  /// are; `notes` tells of it. Throws FileError, naming file, dataset or attribute, expected and
  /// found; DataError if a split is empty, a label out of range, or the model has other features;
  /// InvalidArgument if window or streams do not fit.
  explicit Dataset(const std::filesystem::path& path, const std::optional<Window>& window = {},
                   const std::optional<Streams>& streams = {},
                   std::int64_t ignore_index = kIgnoreIndex,
                   const DataDescription* model = nullptr);
  /// Opens several files as one data set. A split joins those of the files that have it. Throws
  /// InvalidArgument if there is no path, or if there are several of a text; FileError, naming file
  /// and field, expected and found, unless the files agree on task, sizes, names and
  /// standardization.
  explicit Dataset(std::span<const std::filesystem::path> paths,
                   const std::optional<Window>& window = {},
                   const std::optional<Streams>& streams = {},
                   std::int64_t ignore_index = kIgnoreIndex,
                   const DataDescription* model = nullptr);
  ~Dataset();
  Dataset(Dataset&& other) noexcept;
  Dataset& operator=(Dataset&& other) noexcept;

  /// Of the first file.
  const std::filesystem::path& path() const noexcept;
  /// A forecast is a regression. A language model is tagging: the next token tags each token.
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
  /// Names, standardization, and the window with its targets named. Where the file names no
  /// features or classes, they are "0", "1", ...; classes go up to the largest label.
  const DataDescription& description() const noexcept;
  /// What was changed or assumed to show the data as the model knows them; each names its file.
  const std::vector<std::string>& notes() const noexcept;

  /// Those of "train", "valid" and "test" that the data set has, in this order.
  std::vector<std::string> split_names() const;
  bool has_split(const std::string& name) const;
  /// The split lives as long as the data set. Throws InvalidArgument if there is none of that name,
  /// DataError if it has no targets.
  Split& split(const std::string& name);
  /// The same for predictions, which need no targets. Of a forecast there is also kFuture: of each
  /// series the window that ends with its last row. Throws DataError if one has too few rows.
  Split& inputs(const std::string& name);

 private:
  std::unique_ptr<detail::OpenDataset> open_;
};

/// The `task` attribute of a data set's file: "classification", "tagging", "regression", "forecast"
/// or "language_model". Throws FileError.
std::string read_dataset_task(const std::filesystem::path& path);

}  // namespace quadgate
