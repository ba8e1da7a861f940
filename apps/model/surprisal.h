#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "apps/model/model_on_data.h"
#include "apps/model/prediction_writer.h"

namespace quadgate::apps {

/// -log2 of the softmax of `logits` at `token`.
double surprisal_of(std::span<const float> logits, std::int64_t token);

/// A note on tokens that are <unk>, if any are.
void note_unknown(std::int64_t unknown, std::int64_t tokens);

/// Writes the tokens of a text as CSV, or, to a name in .h5, as HDF5 (docs/formats.md), with the
/// surprisal of each in bits, -log2 of its probability after all tokens before it; the first one
/// has none. `model` reads the text as one stream; what it goes on to begins with the last token.
std::unique_ptr<PredictionWriter> open_surprisals(ModelOnData& model,
                                                  const std::filesystem::path& output);

}  // namespace quadgate::apps
