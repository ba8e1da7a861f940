#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/dataset.h"
#include "io/hdf5.h"

namespace quadgate {

/// Windows that a forecast cuts from its series when they are read. See Dataset for the layout.
class WindowSplit final : public Split {
 public:
  /// `description.window` has its targets named. Throws FileError, or DataError if no window fits.
  WindowSplit(const hdf5::File& file, const std::string& name, const DataDescription& description);

  std::int64_t size() const noexcept override { return size_; }
  std::int64_t length(std::int64_t) const noexcept override { return window_.input_len; }
  std::int64_t max_len() const noexcept override { return window_.input_len; }
  void read(std::span<const std::int64_t> rows, Batch& batch) override;

 private:
  void read_window(std::int64_t first, std::int64_t position, Batch& batch);

  hdf5::Array x_;
  Window window_;
  std::vector<std::int64_t> targets_;  // columns of x
  std::int64_t columns_;
  std::int64_t begin_ = 0;  // row of x that the first window's inputs begin at
  std::int64_t size_ = 0;
  std::vector<float> rows_;  // [input_len + horizon, columns]: one window, inputs then targets
};

}  // namespace quadgate
