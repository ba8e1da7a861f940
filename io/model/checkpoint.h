#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/training/network.h"
#include "engine/training/optimizer.h"
#include "engine/training/schedule.h"
#include "io/model/model_description.h"

namespace quadgate {

/// Where a training run stands. With weights and optimizer, it is all that resuming needs.
struct TrainingState {
  std::int64_t epoch = 0;  ///< epochs finished
  std::int64_t batch = 0;  ///< batches done of the epoch in progress
  std::int64_t step = 0;   ///< optimizer updates done
  std::uint64_t seed = 0;
  std::optional<double> best_metric{};  ///< that best.h5 reached, if any
  Metrics running{};                    ///< sums over the batches done of the epoch in progress
  RecurrentStates carried{};            ///< into the next batch, of a language model; or empty
  Schedule::State schedule{};
  Plateau early_stopping{};    ///< of the validation loss, whether or not it may stop
  std::string last_metrics{};  ///< the last line of metrics.jsonl, or empty
  std::string run_file{};      ///< text of the run file, as resolved
};

/// Writes a model to `path` (HDF5, format "quadgate-checkpoint"): weights as
/// `/state_dict/<PyTorch's name>`, description as attributes of `/model`, and in the file's user
/// block a checksum of it all. Atomic: a temporary file in the same folder, synced and renamed.
/// Throws FileError, with the files as they were.
void save_model(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters);

/// As save_model, with the optimizer's state and where the training stands; the file of that name
/// is kept as `previous_checkpoint(path)`.
void save_checkpoint(const std::filesystem::path& path, const ModelDescription& model,
                     const Parameters& parameters, const Optimizer& optimizer,
                     const TrainingState& state);

/// "run/checkpoint.h5" -> "run/checkpoint.prev.h5"
std::filesystem::path previous_checkpoint(const std::filesystem::path& path);

/// A checkpoint that is whole, and why it is not the newest.
struct WholeCheckpoint {
  std::filesystem::path path{};
  std::string damage{};  ///< the error in the newest one, if the previous one is used; else empty
};

/// Checks `path` (its checksum), then the one before it. Throws the first one's FileError if both
/// are missing or damaged, and FileError if the file found is whole but no checkpoint that this
/// version reads.
WholeCheckpoint find_whole_checkpoint(const std::filesystem::path& path);

/// Puts the one before it in the place of `path`, which is damaged: the next save would else keep
/// the damaged one instead of it. Throws FileError.
void restore_previous_checkpoint(const std::filesystem::path& path);

/// Throws FileError if it is missing, damaged or no checkpoint.
ModelDescription read_model_description(const std::filesystem::path& path);

/// Whether the file has an optimizer and a training state. Throws FileError.
bool has_training_state(const std::filesystem::path& path);

/// Fills all weights. Throws FileError, with the parameters as they were, naming every tensor that
/// is missing, unexpected or of another shape; also if the file is damaged.
void load_parameters(const std::filesystem::path& path, Parameters& parameters);

/// Whether the model has a head: one of a bare torch.nn.LSTM does not. Throws FileError.
bool has_head(const std::filesystem::path& path);

/// Fills the weights that the file has, a part of `parameters`; the others stay as they are. Throws
/// FileError like load_parameters.
void load_part(const std::filesystem::path& path, Parameters& parameters);

/// Fills the optimizer's state and returns where the training stood. `parameters` gives the layout
/// of the optimizer's arrays. Throws FileError like load_parameters, with the optimizer as it was,
/// also if its kind differs.
TrainingState load_training_state(const std::filesystem::path& path, const Parameters& parameters,
                                  Optimizer& optimizer);

/// The training state alone, without the optimizer's. Throws FileError.
TrainingState read_training_state(const std::filesystem::path& path);

}  // namespace quadgate
