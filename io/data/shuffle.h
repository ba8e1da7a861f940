#pragma once

#include <cstdint>

namespace quadgate {

/// How an epoch's rows are shuffled. The same values give the same order, wherever it is read from.
struct Shuffle {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  /// 0: every order of all rows is equally likely. Else the split's chunks come in a random order,
  /// and each row is drawn from the next `buffer` rows.
  std::int64_t buffer = 0;
  /// A batch has rows of about one length. RowOrder sorts the rows of kBucketBatches batches by
  /// length, cuts them into batches, and gives these in a random order.
  bool by_length = false;
};

}  // namespace quadgate
