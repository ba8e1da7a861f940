#pragma once

#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// Fills the weights of a run that begins. Throws FileError if model.init cannot be used.
TrainingState begin(const RunConfig& config, Network& network);

/// Fills weights, optimizer and carried states from the folder's newest whole checkpoint; without
/// one, begins at the start. Throws FileError if it cannot be read, InvalidArgument or DataError if
/// it is of another run or of other data.
TrainingState resume(const RunConfig& config, const RunFolder& folder, const Dataset& data,
                     Trainer& trainer);

}  // namespace quadgate::apps
