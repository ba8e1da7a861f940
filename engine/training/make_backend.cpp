#include "engine/training/make_backend.h"

#include <fmt/format.h>

#include "engine/base/error.h"
#include "engine/native/backend.h"
#include "engine/onednn/layer_kind.h"
#include "kernels/base/isa.h"

namespace quadgate {

BackendKind choose_backend(const ModelConfig& model, const NetworkOptions& options) noexcept {
  const bool rounds = options.precision != Precision::f32;  // oneDNN does not everywhere
  if (rounds || !onednn::missing(model, options).empty()) return BackendKind::native;
  // With vectors it was measured faster at every shape (docs/performance.md). Without them its
  // fused multiply-adds are calls into the C library.
  return kernels::active_isa() == kernels::Isa::scalar ? BackendKind::onednn : BackendKind::native;
}

std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, const Parameters& parameters,
                                      Arena& arena) {
  const auto kind = plan.options.backend == BackendKind::automatic
                        ? choose_backend(plan.model, plan.options)
                        : plan.options.backend;
  if (kind == BackendKind::onednn) {
    if (const auto missing = onednn::missing(plan.model, plan.options); !missing.empty()) {
      throw InvalidArgument(
          fmt::format("backend: expected native for {}, found {}", missing, to_string(kind)));
    }
    const native::LayerKind layers = onednn::layer_kind(plan, arena);
    return std::make_unique<native::Backend>(plan, parameters, arena, &layers);
  }
  return std::make_unique<native::Backend>(plan, parameters, arena);
}

}  // namespace quadgate
