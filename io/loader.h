#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/batch.h"
#include "io/dataset.h"

namespace quadgate {

/// One pass over a split, in batches; its thread reads the next batch while the caller uses this
/// one. The batches are swapped with the caller's, so that in steady state nothing is allocated.
class Loader final : public BatchSource {
 public:
  /// Keys the order of the rows: the same numbers give the same order.
  struct Shuffle {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
  };

  /// Without `shuffle`, rows come in the file's order. The last batch may be smaller. `first_batch`
  /// leaves out the batches before it, to go on in the middle of an epoch. `split` must outlive the
  /// loader. Throws InvalidArgument unless batch_size >= 1 and
  /// 0 <= first_batch <= num_batches().
  Loader(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle = {},
         std::int64_t first_batch = 0);
  /// Waits at most for the read of one batch.
  ~Loader() override = default;

  /// Batches of the whole pass, the left-out ones included.
  std::int64_t num_batches() const noexcept { return num_batches_; }

  /// Also rethrows what went wrong in the thread.
  bool next(Batch& batch) override;

 private:
  void run(const std::stop_token& stop, std::int64_t first_batch);
  void read(std::int64_t index);  // batch `index`, into ready_

  Split& split_;
  std::int64_t batch_size_;
  std::int64_t num_batches_;
  std::vector<std::int64_t> rows_;  // of the split, in the order of this pass

  std::mutex mutex_;
  std::condition_variable_any changed_;
  Batch ready_;             // the batch read ahead, if has_ready_
  bool has_ready_ = false;  // guarded by mutex_, as the two below
  bool done_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: stopped and joined before the rest goes
};

}  // namespace quadgate
