#pragma once

#include <optional>

#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// The model that a run goes on from.
struct Origin {
  std::optional<WholeCheckpoint> stored{};  ///< the run's own, to resume
  std::optional<Checkpoint> init{};         ///< model.init, to begin with
  std::optional<ModelDescription> model{};  ///< of either, if it knows its data

  /// What the model knows of its data, which the run's are to be shown as; or null.
  const DataDescription* data() const { return model ? &model->data : nullptr; }
};

/// Opens the folder's newest whole checkpoint if there is one and the run is to resume, else
/// model.init if there is one. Throws FileError if it cannot be read.
Origin open_origin(const RunConfig& config, const RunFolder& folder, bool resumes);

/// The resolved run file of the run to resume, from its checkpoint or, without one, its folder.
/// Throws FileError.
RunConfig resumed_run(const RunFolder& folder, const Origin& origin);

/// Fills the weights of a run that begins. Throws FileError if model.init cannot be used, DataError
/// if its data were others than the run's.
TrainingState begin(const RunConfig& config, const Origin& origin, Dataset& data, Network& network);

/// Fills weights, optimizer and carried states from the run's checkpoint; without one, begins at
/// the start. Throws FileError if it cannot be used, InvalidArgument or DataError if it is of
/// another run or of other data.
TrainingState resume(const RunConfig& config, const RunFolder& folder, const Origin& origin,
                     Dataset& data, Trainer& trainer);

}  // namespace quadgate::apps
