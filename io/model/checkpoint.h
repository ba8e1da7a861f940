#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/training/network.h"
#include "engine/training/optimizer.h"
#include "engine/training/schedule.h"
#include "io/data/data_identity.h"
#include "io/model/model_description.h"

namespace quadgate {

namespace hdf5 {
class File;
}

/// Where a training run stands. With weights and optimizer, it is all that resuming needs.
struct TrainingState {
  std::int64_t epoch = 0;  ///< epochs finished
  std::int64_t batch = 0;  ///< batches done of the epoch in progress
  std::int64_t step = 0;   ///< optimizer updates done
  std::uint64_t seed = 0;
  std::optional<DataIdentity> data{};   ///< trained on; files of older programs do not tell
  std::optional<double> best_metric{};  ///< that best.h5 reached, if any
  std::optional<double> best_loss{};  ///< and the valid loss; this and the next not of older files
  std::optional<std::int64_t> best_epoch{};  ///< after which it is the model
  Metrics running{};          ///< sums over the batches done of the epoch in progress
  RecurrentStates carried{};  ///< into the next batch, of a language model; or empty
  Schedule::State schedule{};
  Plateau early_stopping{};    ///< of the validation loss, whether or not it may stop
  std::string last_metrics{};  ///< the last line of metrics.jsonl, or empty
  std::string run_file{};      ///< text of the run file, as resolved
};

/// Writes a model to `path` (HDF5, format "quadgate-checkpoint"): weights as
/// `/state_dict/<PyTorch's name>`, description as attributes of `/model`, and in the file's user
/// block a checksum of it all. `epoch` says after which one of a run it is. Atomic: a temporary
/// file in the same folder, synced and renamed. Throws FileError, with the files as they were.
void save_model(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters, std::optional<std::int64_t> epoch = {});

/// As save_model, with the optimizer's state and where the training stands; the file of that name
/// is kept as `previous_checkpoint(path)`.
void save_checkpoint(const std::filesystem::path& path, const ModelDescription& model,
                     const Parameters& parameters, const Optimizer& optimizer,
                     const TrainingState& state);

/// "run/checkpoint.h5" -> "run/checkpoint.prev.h5"
std::filesystem::path previous_checkpoint(const std::filesystem::path& path);

/// A checkpoint or model, open for reading: its checksum is compared once, and one process reads
/// it.
class Checkpoint {
 public:
  /// Throws FileError if it is missing, damaged or no checkpoint that this version reads.
  explicit Checkpoint(const std::filesystem::path& path);
  /// Of a file that is open. Throws FileError if it is no checkpoint that this version reads.
  explicit Checkpoint(hdf5::File file);
  ~Checkpoint();
  Checkpoint(Checkpoint&& other) noexcept;
  Checkpoint& operator=(Checkpoint&& other) noexcept;

  const std::filesystem::path& path() const noexcept;
  /// Whether it says of its model more than the weights do.
  bool has_description() const;
  /// Throws FileError if it is missing, or of a model that cannot be.
  ModelDescription description() const;

  /// After which epoch of a run it is the model, if it says so, as best.h5 does. Throws FileError.
  std::optional<std::int64_t> epoch() const;
  /// Whether the model has a head: one of a bare torch.nn.LSTM does not.
  bool has_head() const;
  /// Fills all weights. Throws FileError, with the parameters as they were, naming every tensor
  /// that is missing, unexpected or of another shape, or one that is not finite.
  void load_parameters(Parameters& parameters) const;
  /// Fills the weights that the file has, a part of `parameters`; the others stay as they are.
  /// Throws FileError like load_parameters.
  void load_part(Parameters& parameters) const;

  /// Whether there are an optimizer and a training state.
  bool has_training() const;
  /// Where the training stood. Throws FileError, also if it has a number that cannot be.
  TrainingState training_state() const;
  /// Fills the optimizer's state. `parameters` gives the layout of its arrays. Throws FileError
  /// like load_parameters, with the optimizer as it was, also if its kind differs.
  void load_optimizer(const Parameters& parameters, Optimizer& optimizer) const;

 private:
  std::unique_ptr<hdf5::File> file_;
};

/// A checkpoint that is whole, and why it is not the newest.
struct WholeCheckpoint {
  Checkpoint checkpoint;
  std::string damage;  ///< the error in the newest one, if it is the previous one; else empty
};

/// Opens `path`, or the one before it if `path` is missing or damaged. Throws the first one's
/// FileError if both are, and FileError if the file found is whole but no checkpoint that this
/// version reads.
WholeCheckpoint open_whole_checkpoint(const std::filesystem::path& path);

/// Puts the one before it in the place of `path`, which is damaged: the next save would else keep
/// the damaged one instead of it. Throws FileError.
void restore_previous_checkpoint(const std::filesystem::path& path);

}  // namespace quadgate
