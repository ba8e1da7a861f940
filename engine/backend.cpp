#include "engine/backend.h"

#include "engine/native_backend.h"
#include "engine/onednn_backend.h"
#include "kernels/isa.h"

namespace quadgate {

std::string_view to_string(BackendKind kind) noexcept {
  switch (kind) {
    case BackendKind::automatic:
      return "auto";
    case BackendKind::onednn:
      return "onednn";
    case BackendKind::native:
      break;
  }
  return "native";
}

std::optional<BackendKind> parse_backend(std::string_view text) noexcept {
  for (const auto kind : {BackendKind::automatic, BackendKind::onednn, BackendKind::native}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

BackendKind choose_backend() noexcept {
  // Measured faster at every shape with vectors (docs/performance.md); without them its fused
  // multiply-adds are calls into the C library.
  return kernels::active_isa() == kernels::Isa::scalar ? BackendKind::onednn : BackendKind::native;
}

std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, Parameters& parameters,
                                      Arena& arena) {
  const auto kind =
      plan.options.backend == BackendKind::automatic ? choose_backend() : plan.options.backend;
  if (kind == BackendKind::onednn) {
    return std::make_unique<OnednnBackend>(plan, parameters, arena);
  }
  return std::make_unique<NativeBackend>(plan, parameters, arena);
}

}  // namespace quadgate
