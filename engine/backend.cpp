#include "engine/backend.h"

#include <fmt/format.h>

#include "engine/error.h"
#include "engine/native_backend.h"
#include "engine/onednn_backend.h"
#include "kernels/isa.h"

namespace quadgate {

BackendKind choose_backend(const LstmConfig& config, Precision precision) noexcept {
  // The only one that has it.
  if (config.cell != Cell::lstm || precision == Precision::bf16) return BackendKind::native;
  // Measured faster at every shape with vectors (docs/performance.md); without them its fused
  // multiply-adds are calls into the C library.
  return kernels::active_isa() == kernels::Isa::scalar ? BackendKind::onednn : BackendKind::native;
}

std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, Parameters& parameters,
                                      Arena& arena) {
  const auto kind = plan.options.backend == BackendKind::automatic
                        ? choose_backend(plan.model.rnn, plan.options.precision)
                        : plan.options.backend;
  if (kind == BackendKind::onednn) {
    const Cell cell = plan.model.rnn.cell;
    if (cell != Cell::lstm) {
      throw InvalidArgument(fmt::format("backend: expected native for cell {}, found {}",
                                        to_string(cell), to_string(kind)));
    }
    return std::make_unique<OnednnBackend>(plan, parameters, arena);
  }
  return std::make_unique<NativeBackend>(plan, parameters, arena);
}

}  // namespace quadgate
