#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/file_writer.h"

namespace quadgate::hdf5 {

/// How the elements of a dataset lie in the file.
enum class Storage {
  contiguous,  ///< as in memory: the fastest to read
  gzip,        ///< in chunks, shuffled and deflated, which every HDF5 library reads
};

/// Makes a dataset of float, std::int32_t or std::int64_t in a file made by
/// `FileWriter::create_at`, and writes it from its first element to its last. The file must outlive
/// it.
template <typename T>
class ArrayWriter {
 public:
  /// The groups of the name must exist. Throws FileError.
  ArrayWriter(const FileWriter& file, const std::string& name, std::vector<std::int64_t> shape,
              Storage storage);

  void append(T value) {
    buffer_.push_back(value);
    if (buffer_.size() == buffer_size_) flush();
  }
  void append(std::span<const T> values) {
    while (!values.empty()) {
      const auto part = values.first(std::min(buffer_size_ - buffer_.size(), values.size()));
      buffer_.insert(buffer_.end(), part.begin(), part.end());
      values = values.subspan(part.size());
      if (buffer_.size() == buffer_size_) flush();
    }
  }
  /// Writes the rest. Throws InvalidArgument unless every element was appended.
  void finish();

 private:
  void flush();
  void write_directly();
  void write_chunks();

  const FileWriter* file_;
  std::string name_;
  std::vector<std::int64_t> shape_;
  Handle dataset_;
  int descriptor_ = -1;      // of the file, if the elements lie in it as they do in memory
  std::int64_t offset_ = 0;  // where the next ones then go
  std::int64_t row_size_ = 1;
  std::int64_t done_ = 0;  // elements in the file
  std::vector<T> buffer_;
  std::size_t buffer_size_;  // elements: whole rows of chunks
};

}  // namespace quadgate::hdf5
