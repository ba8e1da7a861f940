#pragma once

#include <string_view>

namespace quadgate {

/// What the name of a module of another program calls it.
enum class Calling { nothing, embedding, head };

/// "encoder.tok_emb" is called an embedding, "lm_head" and "fc1" a head; "fc_in" and "layer"
/// nothing.
Calling calling_of(std::string_view module);

}  // namespace quadgate
