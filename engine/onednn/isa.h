#pragma once

#include <cstdint>

namespace quadgate::kernels {
enum class Isa : std::uint8_t;
}

namespace quadgate::onednn {

/// Caps the instruction set that oneDNN generates code for, beside kernels::cap_isa. Call it before
/// anything else of the engine: oneDNN looks at the cap once, when it first makes a primitive.
void cap_isa(kernels::Isa cap);

}  // namespace quadgate::onednn
