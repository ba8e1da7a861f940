#pragma once

#include <cstdint>
#include <string>

namespace quadgate {

class Dataset;

/// What tells one data set from another to train on, however it is stored. The test split is free
/// to differ.
struct DataIdentity {
  std::int64_t train_rows = 0;
  std::int64_t valid_rows = 0;
  std::uint64_t checksum = 0;  ///< of rows' values and targets, see identify

  bool operator==(const DataIdentity&) const = default;
};

/// Reads all rows of splits of up to 32 MiB, of larger ones some that lie evenly spread. Throws
/// like Split::read.
DataIdentity identify(Dataset& data);

/// "train: expected 140 rows, found 120", to say what differs; empty if nothing does.
std::string difference(const DataIdentity& expected, const DataIdentity& found);

}  // namespace quadgate
