#pragma once

#include <optional>

#include "apps/train/run_config.h"
#include "engine/model/config.h"
#include "io/data/dataset.h"

/// What a run file means for its data set. Functions throw InvalidArgument, naming the key, where
/// the two do not fit.
namespace quadgate::apps {

/// How a language model reads its text; empty for another data set. Settles the keys that depend on
/// it: a text is not shuffled.
std::optional<Streams> streams_of(RunConfig& config);

/// Fills the settings that follow from others and from the data.
void complete(RunConfig& config, Dataset& data);

/// Settles train.grad_shards for a run on `world_size` ranks, which goes on with those of
/// `resumed`, if it goes on: as the file says, else as it was, else the ranks rounded up to a power
/// of two. Returns the shards.
std::int64_t complete_shards(RunConfig& config, const RunConfig* resumed, int world_size);

/// The model to train.
ModelConfig model_of(const RunConfig& config, const Dataset& data);

}  // namespace quadgate::apps
