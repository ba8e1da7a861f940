#pragma once

#include <cstdint>

namespace quadgate {

/// How an epoch's rows are shuffled. The same values give the same order, wherever it is read from.
struct Shuffle {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  /// 0: any order of all rows is as likely as any other. Else the split's chunks come in a random
  /// order, and each row is drawn out of the `buffer` rows that come next.
  std::int64_t buffer = 0;
  /// Batches have rows of about one length: the rows of RowOrder::kBucketBatches batches at a time
  /// are sorted by length and cut into batches, which come in a random order.
  bool by_length = false;
};

}  // namespace quadgate
