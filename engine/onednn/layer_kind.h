#pragma once

#include <string_view>

#include "engine/backend/backend.h"
#include "engine/native/recurrent_layer.h"
#include "engine/threads/arena.h"

namespace quadgate::onednn {

/// What oneDNN's layers do not have of the plan. Empty if they have all.
std::string_view missing(const ModelConfig& model, const NetworkOptions& options) noexcept;

/// Layers of oneDNN's for a plan. `arena` must outlive what they make.
native::LayerKind layer_kind(const NetworkPlan& plan, Arena& arena);

}  // namespace quadgate::onednn
