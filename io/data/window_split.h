#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/data/dataset.h"
#include "io/data/feature_view.h"
#include "io/hdf5/file.h"

namespace quadgate {

/// Where one series of a split lies among the rows of the dataset `x`.
///
///     first ------ begin ========= end
///       inputs only    targets too
struct SeriesRange {
  std::int64_t first = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Reads the series of a forecast's split: the dataset `ranges`, or one series from the attributes
/// `begin` and `end`. Throws FileError unless they lie in order within the `rows` rows of x.
std::vector<SeriesRange> read_series_ranges(const hdf5::File& file, const std::string& split,
                                            std::int64_t rows);
/// Throws FileError unless so many series have a scale each, or none.
void expect_scales(const hdf5::File& file, const DataDescription& description,
                   std::size_t num_series);

/// Names and times of a forecast's series, which its splits share.
struct SeriesLabels {
  std::vector<std::string> names{};    ///< by series, or none
  std::optional<hdf5::Array> times{};  ///< int64 [L], in millionths; or none

  /// Throws FileError unless they fit the `rows` rows of x of a split.
  SeriesLabels(const hdf5::File& file, const std::string& split, std::int64_t rows);
};

/// The windows of a forecast, cut from its series as they are read. Dataset tells the layout. With
/// known columns each step of the inputs has, behind its features, theirs of the row a horizon on:
///
///     row         0  1  2  3  4  5 | 6  7    input_len 6, horizon 2
///     features    0  1  2  3  4  5
///     known       2  3  4  5  6  7           so the last steps see all rows to be forecast
class WindowSplit final : public Split {
 public:
  /// `description.window` names its targets, among the features that `view` shows. Throws
  /// FileError, or DataError if no window fits.
  WindowSplit(const hdf5::File& file, const std::string& name, const DataDescription& description,
              FeatureView view = {});
  /// Of each series one window without targets, whose inputs end where the targets of the split do.
  /// Throws DataError if a series is too short.
  static std::unique_ptr<WindowSplit> open_future(const hdf5::File& file, const std::string& name,
                                                  const DataDescription& description,
                                                  FeatureView view);

  std::int64_t size() const noexcept override { return size_; }
  std::int64_t length(std::int64_t) const noexcept override { return window_.input_len; }
  std::int64_t max_len() const noexcept override { return window_.input_len; }
  std::vector<std::int64_t> chunks() const override;
  bool wants_chunks() const override { return x_.has_slow_rows(); }
  bool has_targets() const noexcept override { return horizon_ > 0; }
  std::int64_t num_series() const noexcept override { return num_series_; }
  std::int64_t series(std::int64_t window) const noexcept override;
  const SeriesScale* scale(std::int64_t window) const noexcept override;
  std::string where(std::int64_t row) const override;
  WindowPlace place(std::int64_t row) const override;
  void read(std::span<const std::int64_t> rows, Batch& batch) override;

 private:
  /// The windows of one series.
  struct Windows {
    std::int64_t first = 0;   // number of the first window
    std::int64_t begin = 0;   // row of x where its inputs begin
    std::size_t number = 0;   // of the series
    std::int64_t origin = 0;  // row of x where the series begins
  };

  /// Without windows.
  WindowSplit(const hdf5::File& file, const std::string& name, const DataDescription& description,
              FeatureView view, std::int64_t horizon);

  /// Rows of x that a window is made of.
  std::int64_t window_rows() const noexcept {
    return window_.input_len + (known_.empty() ? horizon_ : window_.horizon);
  }
  std::int64_t width() const noexcept { return columns_ + std::ssize(known_); }
  void expect_known(std::size_t number, std::int64_t found,
                    const std::filesystem::path& path) const;
  void add_series(std::size_t number, const SeriesRange& range);
  void add_end(std::size_t number, const SeriesRange& range, std::int64_t end_of_rows,
               const std::filesystem::path& path);
  const Windows& series_of(std::int64_t window) const noexcept;
  std::int64_t begin(std::int64_t window) const noexcept;
  void read_run(std::int64_t first, std::int64_t count, std::int64_t position, Batch& batch);
  void cut(std::int64_t first, std::int64_t position, Batch& batch) const;

  hdf5::Array x_;
  FeatureView view_;
  Window window_;
  std::int64_t horizon_;               // rows of targets that a window has: none of the future
  std::vector<std::int64_t> targets_;  // columns of x
  std::int64_t columns_;
  std::vector<SeriesScale> scales_;  // [series] or none
  std::vector<std::string> known_names_;
  std::vector<std::int64_t> known_;  // columns of x
  SeriesLabels labels_;
  std::int64_t num_series_ = 0;
  std::vector<Windows> series_;  // those that have windows
  std::int64_t size_ = 0;
  std::vector<float> rows_;  // of x, from which windows are cut
};

}  // namespace quadgate
