#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"

namespace quadgate::testing {

/// Row i is a sequence of one label i, x = i at each of its steps: one, or as many as `lengths`
/// says. Reading row `bad` throws.
class CountingSplit final : public Split {
 public:
  explicit CountingSplit(std::int64_t size, std::int64_t bad = -1) : size_(size), bad_(bad) {}
  CountingSplit(std::vector<std::int64_t> lengths, std::vector<std::int64_t> chunks)
      : size_(static_cast<std::int64_t>(lengths.size())),
        lengths_(std::move(lengths)),
        chunks_(std::move(chunks)) {}

  std::int64_t size() const noexcept override { return size_; }
  std::int64_t length(std::int64_t row) const noexcept override {
    return lengths_.empty() ? 1 : lengths_[static_cast<std::size_t>(row)];
  }
  std::int64_t max_len() const noexcept override {
    return lengths_.empty() ? 1 : *std::ranges::max_element(lengths_);
  }
  std::vector<std::int64_t> chunks() const override {
    return chunks_.empty() ? Split::chunks() : chunks_;
  }
  std::string where(std::int64_t row) const override { return "row " + std::to_string(row); }
  void read(std::span<const std::int64_t> rows, Batch& batch) override {
    if (std::ranges::count(rows, bad_) > 0) throw DataError("row is bad");
    batch.x.clear();
    batch.labels.assign(rows.begin(), rows.end());
    batch.offsets.assign(1, 0);
    for (const std::int64_t row : rows) {
      batch.x.insert(batch.x.end(), static_cast<std::size_t>(length(row)), static_cast<float>(row));
      batch.offsets.push_back(batch.offsets.back() + length(row));
    }
    read_.insert(read_.end(), rows.begin(), rows.end());
  }

  /// All rows that have been read.
  const std::vector<std::int64_t>& rows_read() const noexcept { return read_; }

 private:
  std::int64_t size_;
  std::int64_t bad_ = -1;
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> chunks_;
  std::vector<std::int64_t> read_;
};

/// 0, 1, ..., count - 1.
inline std::vector<std::int64_t> counting(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// Lengths from 1 to 20, far from sorted.
inline std::vector<std::int64_t> mixed_lengths(std::int64_t count) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t row = 0; row < count; ++row) lengths.push_back(1 + row * row * 7 % 20);
  return lengths;
}

/// Chunks of `rows` rows.
inline std::vector<std::int64_t> even_chunks(std::int64_t size, std::int64_t rows) {
  std::vector<std::int64_t> firsts;
  for (std::int64_t first = 0; first < size; first += rows) firsts.push_back(first);
  firsts.push_back(size);
  return firsts;
}

}  // namespace quadgate::testing
