#include "engine/backend.h"

#include "engine/native_backend.h"
#include "engine/onednn_backend.h"
#include "kernels/isa.h"

namespace quadgate {

BackendKind choose_backend(Precision precision) noexcept {
  if (precision == Precision::bf16) return BackendKind::native;  // the only one that has it
  // Measured faster at every shape with vectors (docs/performance.md); without them its fused
  // multiply-adds are calls into the C library.
  return kernels::active_isa() == kernels::Isa::scalar ? BackendKind::onednn : BackendKind::native;
}

std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, Parameters& parameters,
                                      Arena& arena) {
  const auto kind = plan.options.backend == BackendKind::automatic
                        ? choose_backend(plan.options.precision)
                        : plan.options.backend;
  if (kind == BackendKind::onednn) {
    return std::make_unique<OnednnBackend>(plan, parameters, arena);
  }
  return std::make_unique<NativeBackend>(plan, parameters, arena);
}

}  // namespace quadgate
