#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/dataset.h"
#include "io/hdf5/file.h"

namespace quadgate {

/// A text in pieces for truncated backpropagation through time. It is cut into `streams.count`
/// streams of equal length, each stream into pieces of `bptt_len` tokens. Row r is piece r / count
/// of stream r % count, so that row n of a batch goes on where row n of the one before ended. With
/// 2 streams and pieces of 3, of the text a b c d e f g h i j k l m n:
///
///     stream 0   a b c | d e f | g     rows 0, 2     labels   b c d | e f g
///     stream 1   h i j | k l m | n     rows 1, 3              i j k | l m n
///
/// The label of a token is the token after it. Fewer than `count` tokens at the end are left out.
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
  std::int64_t begin(std::int64_t row) const noexcept;  // first token of `row` in x

  hdf5::Array x_;
  Streams streams_;
  std::int64_t vocabulary_;
  std::int64_t steps_;               // tokens of a stream that have a label
  std::vector<std::int32_t> piece_;  // a row's tokens and the one after them
};

}  // namespace quadgate
