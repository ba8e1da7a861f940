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

/// One rank's share of the rows of each batch: rows [N first / of, N last / of) of N.
struct RowShare {
  std::int64_t first = 0;
  std::int64_t last = 1;
  std::int64_t of = 1;
};

/// One pass over a split, in batches. Its thread reads the next few batches while the caller uses
/// this one. It swaps batches with the caller's, so that it allocates nothing in steady state. With
/// a shuffle buffer it reads the split a chunk at a time, and the rows of the buffer wait in
/// memory.
class Loader final : public BatchSource {
 public:
  /// The most batches that are read ahead, over which the time to read a chunk spreads.
  static constexpr std::size_t kAhead = 4;

  /// RowOrder says in which order rows come. The loader begins with batch `first_batch`, to go on
  /// in the middle of an epoch. It reads a `share` of each batch, of which Batch::whole_rows then
  /// tells the size. `split` must outlive it. Throws InvalidArgument unless batch_size >= 1 and 0
  /// <= first_batch <= num_batches().
  Loader(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle = {},
         std::int64_t first_batch = 0, const RowShare& share = {});
  /// Waits for one batch to be read, at most.
  ~Loader() override;

  /// Batches of the whole pass, those before `first_batch` among them.
  std::int64_t num_batches() const noexcept;

  /// Also throws the errors of the thread.
  bool next(Batch& batch) override;

  /// How long all calls of `next` have waited for a batch.
  double waited_seconds() const noexcept { return waited_seconds_; }

 private:
  void run(const std::stop_token& stop, std::int64_t first_batch);
  void skip(std::int64_t batches);
  bool read(const std::stop_token& stop);  // one batch; false after the last, or if told to stop
  void read_share(Batch& batch);

  Split& split_;
  RowShare share_;
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
