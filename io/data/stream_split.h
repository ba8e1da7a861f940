#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/dataset.h"
#include "io/hdf5/file.h"

namespace quadgate {

/// A text in pieces that go on where the ones before ended, for truncated backpropagation through
/// time: cut into `streams.count` streams of equal length S, whose pieces of `bptt_len` tokens lie
/// one beside the other, as batches of `count` rows. Row r is piece r / count of stream r % count,
/// and its labels are the tokens that follow each of its tokens. What is left at the end of the
/// text, fewer than `count` tokens, is left out.
class StreamSplit final : public Split {
 public:
  /// Throws FileError, or DataError if there are no two tokens a stream.
  StreamSplit(const hdf5::File& file, const std::string& name, const Streams& streams,
              std::int64_t vocabulary);

  std::int64_t size() const noexcept override;
  std::int64_t length(std::int64_t row) const noexcept override;
  std::int64_t max_len() const noexcept override;
  std::string where(std::int64_t row) const override;
  void read(std::span<const std::int64_t> rows, Batch& batch) override;

 private:
  std::int64_t begin(std::int64_t row) const noexcept;  // token of x that `row` begins at

  hdf5::Array x_;
  Streams streams_;
  std::int64_t vocabulary_;
  std::int64_t steps_;               // of a stream that have a next token: S - 1
  std::vector<std::int32_t> piece_;  // with the token after it
};

}  // namespace quadgate
