#pragma once

#include <memory>

#include "engine/backend/backend.h"
#include "engine/model/parameters.h"
#include "engine/threads/arena.h"

namespace quadgate {

/// What `automatic` stands for on this machine.
BackendKind choose_backend(const ModelConfig& model, const NetworkOptions& options) noexcept;

/// Plans all memory. `parameters` and `arena` must outlive it. Throws InvalidArgument if the
/// backend does not have what is asked for.
std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, const Parameters& parameters,
                                      Arena& arena);

}  // namespace quadgate
