#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/data/dataset.h"

namespace quadgate {

/// Several splits as one: the rows of the first come before those of the second, and so on.
class JoinedSplit final : public Split {
 public:
  /// At least one, of the same task and sizes.
  explicit JoinedSplit(std::vector<std::unique_ptr<Split>> parts);

  std::int64_t size() const noexcept override { return firsts_.back(); }
  std::int64_t length(std::int64_t row) const noexcept override;
  std::int64_t max_len() const noexcept override;
  std::vector<std::int64_t> chunks() const override;
  bool wants_chunks() const override;
  bool has_targets() const noexcept override;
  std::int64_t num_series() const noexcept override;
  std::int64_t series(std::int64_t row) const noexcept override;
  const SeriesScale* scale(std::int64_t row) const noexcept override;
  std::string where(std::int64_t row) const override;
  WindowPlace place(std::int64_t row) const override;
  void read(std::span<const std::int64_t> rows, Batch& batch) override;

 private:
  std::size_t part_of(std::int64_t row) const noexcept;

  std::vector<std::unique_ptr<Split>> parts_;
  std::vector<std::int64_t> firsts_;  // [parts + 1]: the number of each part's first row

  // For each part: which of its rows the batch asks for, and what they hold.
  std::vector<std::vector<std::int64_t>> rows_;
  std::vector<Batch> batches_;
  std::vector<std::int64_t> taken_;
};

}  // namespace quadgate
