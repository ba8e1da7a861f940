#pragma once

#include <cstdint>
#include <filesystem>

#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"

namespace quadgate::apps {

/// Writes the tokens of a text as CSV, or, to a name in .h5, as HDF5 (docs/formats.md), with the
/// surprisal of each in bits, -log2 of its probability after all tokens before it; the first one
/// has none. `model` reads the text as one stream. With `words`, tokens are written as the input
/// has them. Returns the perplexity.
double write_surprisals(ModelOnData& model, const InputWords* words,
                        const std::filesystem::path& output);

}  // namespace quadgate::apps
