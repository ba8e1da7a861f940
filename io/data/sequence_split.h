#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "io/data/dataset.h"
#include "io/data/feature_view.h"
#include "io/hdf5/file.h"

namespace quadgate {

/// What steps and targets of sequences hold.
struct SequenceSizes {
  std::int64_t input = 0;         ///< features of a step; 0 if a step is a token
  std::int64_t vocabulary = 0;    ///< tokens; 0 if a step has features
  std::int64_t output = 0;        ///< classes or values
  std::int64_t ignore_index = 0;  ///< the label of targets that do not count
};

/// Sequences with a label, a label a step, or values each. Dataset tells the layout.
class SequenceSplit final : public Split {
 public:
  /// Checks types, shapes and offsets, and the labels of a classification. Without a dataset y
  /// there are no targets. Throws FileError or DataError.
  SequenceSplit(const hdf5::File& file, const std::string& name, Task task,
                const SequenceSizes& sizes, FeatureView view = {});

  std::int64_t size() const noexcept override { return size_; }
  std::int64_t length(std::int64_t row) const noexcept override;
  std::int64_t max_len() const noexcept override { return max_len_; }
  std::vector<std::int64_t> chunks() const override;
  bool wants_chunks() const override {
    return x_.has_slow_rows() || (labels_.empty() && y_ && y_->has_slow_rows());
  }
  bool has_targets() const noexcept override { return y_.has_value(); }
  std::string where(std::int64_t row) const override;
  void read(std::span<const std::int64_t> rows, Batch& batch) override;

 private:
  void open_x(const std::string& name, const hdf5::File& file);
  void expect_x(bool has_offsets) const;
  void read_offsets(const hdf5::Array& offsets);
  void open_y();
  std::int64_t find_bad_label(std::span<const std::int64_t> labels) const;
  [[noreturn]] void fail_label(std::int64_t row, std::int64_t label) const;
  std::int64_t begin(std::int64_t row) const noexcept;  // first step of `row` in x
  void read_run(std::int64_t first, std::int64_t count, Batch& batch, std::int64_t position);
  void check(std::span<const std::int64_t> rows, const Batch& batch) const;

  Task task_;
  SequenceSizes sizes_;
  FeatureView view_;
  hdf5::Array x_;
  std::optional<hdf5::Array> y_;  // none: nobody knows the targets
  std::int64_t size_ = 0;
  std::int64_t max_len_ = 0;
  std::vector<std::int64_t> offsets_;  // [n + 1]; empty if all sequences have max_len_ steps
  std::vector<std::int64_t> labels_;   // [n], classification only
};

}  // namespace quadgate
