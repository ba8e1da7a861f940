#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5.h"

namespace quadgate::hdf5 {

/// Whether the elements of a dataset lie in the file as they are, or packed by gzip, which every
/// HDF5 library reads, in chunks of whole rows.
enum class Packing : std::uint8_t { none, gzip };

/// A dataset that is written row after row (slices of its first dimension).
class RowWriter {
 public:
  /// Makes a dataset of a file, whose groups exist. Throws FileError.
  RowWriter(File& file, const std::string& name, Element element, std::vector<std::int64_t> shape,
            Packing packing);

  /// The next rows, of the dataset's type. Throws FileError.
  void append(std::span<const float> values);
  void append(std::span<const std::int32_t> values);
  void append(std::span<const std::int64_t> values);

 private:
  template <typename T>
  void append_rows(std::span<const T> values, std::int64_t type);

  std::string where_;
  std::vector<std::int64_t> shape_;
  std::int64_t row_ = 0;  // that comes next
  Handle dataset_;
};

}  // namespace quadgate::hdf5
