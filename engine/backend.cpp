#include "engine/backend.h"

#include <fmt/format.h>

#include "engine/error.h"
#include "engine/native_backend.h"
#include "engine/onednn_backend.h"
#include "kernels/isa.h"

namespace quadgate {

BackendKind choose_backend(const RecurrentConfig& config, Precision precision) noexcept {
  const bool only_native =
      config.cell != Cell::lstm || config.proj_size > 0 || precision == Precision::bf16;
  if (only_native) return BackendKind::native;
  // Measured faster at every shape with vectors (docs/performance.md); without them its fused
  // multiply-adds are calls into the C library.
  return kernels::active_isa() == kernels::Isa::scalar ? BackendKind::onednn : BackendKind::native;
}

std::unique_ptr<Backend> make_backend(const NetworkPlan& plan, Parameters& parameters,
                                      Arena& arena) {
  auto kind = plan.options.backend;
  if (kind == BackendKind::automatic) {
    kind = plan.model.has_embedding() ? BackendKind::native
                                      : choose_backend(plan.model.rnn, plan.options.precision);
  }
  if (kind == BackendKind::onednn) {
    if (plan.model.has_embedding()) {
      throw InvalidArgument("backend: expected native for an embedding, found onednn");
    }
    const RecurrentConfig& rnn = plan.model.rnn;
    if (rnn.cell != Cell::lstm || rnn.proj_size > 0) {
      throw InvalidArgument(
          fmt::format("backend: expected native for cell {} with proj_size {}, found {}",
                      to_string(rnn.cell), rnn.proj_size, to_string(kind)));
    }
    return std::make_unique<OnednnBackend>(plan, parameters, arena);
  }
  return std::make_unique<NativeBackend>(plan, parameters, arena);
}

}  // namespace quadgate
