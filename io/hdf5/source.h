#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "io/hdf5/object.h"

namespace quadgate::hdf5 {

/// What a File shows: objects by their names, and the elements of datasets. Safe to use from
/// several threads. Functions throw FileError, naming the file.
class Source {
 public:
  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  virtual const std::filesystem::path& path() const noexcept = 0;

  /// The object of this name, as it was when first asked for.
  virtual const Object& object(const std::string& name) = 0;
  /// Fills `out`, which is not empty, with `count` rows from row `first` of a dataset, as it was
  /// described, as its Element.
  virtual void read(const std::string& name, const DatasetInfo& dataset, std::int64_t first,
                    std::int64_t count, std::span<std::byte> out) = 0;
  /// Whether the rows of a dataset are kept in memory once they are read.
  virtual bool keeps(const DatasetInfo& dataset) = 0;
};

}  // namespace quadgate::hdf5
