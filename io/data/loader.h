#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/model/batch.h"
#include "io/data/dataset.h"
#include "io/data/shuffle.h"

namespace quadgate {

class ChunkReader;
class RowOrder;

/// One pass over a split, in batches; its thread reads the next few batches while the caller uses
/// this one. The batches are swapped with the caller's, so that in steady state nothing is
/// allocated. With a shuffle buffer the split is read a chunk at a time, and so many rows more wait
/// in memory.
class Loader final : public BatchSource {
 public:
  /// Batches that are read ahead, at most: the reading of a chunk is spread over as many.
  static constexpr std::size_t kAhead = 4;

  /// Rows come as RowOrder says. `first_batch` leaves out the batches before it, to go on in the
  /// middle of an epoch. `split` must outlive the loader. Throws InvalidArgument unless
  /// batch_size >= 1 and 0 <= first_batch <= num_batches().
  Loader(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle = {},
         std::int64_t first_batch = 0);
  /// Waits at most for the read of one batch.
  ~Loader() override;

  /// Batches of the whole pass, the left-out ones included.
  std::int64_t num_batches() const noexcept;

  /// Also rethrows what went wrong in the thread.
  bool next(Batch& batch) override;

  /// How long the calls of `next` so far have waited for a batch to be read.
  double waited_seconds() const noexcept { return waited_seconds_; }

 private:
  void run(const std::stop_token& stop, std::int64_t first_batch);
  void skip(std::int64_t batches);
  bool read(const std::stop_token& stop);  // one batch; false if there is none or it shall stop

  Split& split_;
  std::unique_ptr<RowOrder> order_;
  std::unique_ptr<ChunkReader> chunks_;  // with a shuffle buffer
  std::vector<std::int64_t> rows_;       // of the batch being read
  double waited_seconds_ = 0;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<Batch, kAhead> ring_;  // its entry first_ and the count_ - 1 after it are ready
  std::size_t first_ = 0;           // guarded by mutex_, as the three below
  std::size_t count_ = 0;
  bool done_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: stopped and joined before the rest goes
};

}  // namespace quadgate
