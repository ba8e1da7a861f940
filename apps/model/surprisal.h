#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"

namespace quadgate::apps {

/// -log2 of the softmax of `logits` at `token`.
double surprisal_of(std::span<const float> logits, std::int64_t token);

/// A note on tokens that are <unk>, if any are.
void note_unknown(std::int64_t unknown, std::int64_t tokens);

/// Writes the tokens of a text as CSV, or, to a name in .h5, as HDF5 (docs/formats.md), with the
/// surprisal of each in bits, -log2 of its probability after all tokens before it; the first one
/// has none. `model` reads the text as one stream. With `words`, tokens are written as the input
/// has them. Returns the perplexity.
double write_surprisals(ModelOnData& model, const InputWords* words,
                        const std::filesystem::path& output);

}  // namespace quadgate::apps
