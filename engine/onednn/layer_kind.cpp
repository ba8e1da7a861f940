#include "engine/onednn/layer_kind.h"

#include <algorithm>
#include <memory>

#include "engine/base/ceil_div.h"
#include "engine/onednn/layer.h"

namespace quadgate::onednn {
namespace {

/// Sequences of a slice, from the batch size alone, so that the result does not depend on the
/// cores: at least four slices while they have 4 or more. 16 already fill oneDNN's product.
std::int64_t rows_per_slice(std::int64_t batch_size) {
  constexpr std::int64_t kFewestRows = 4;
  constexpr std::int64_t kEnoughRows = 16;
  constexpr std::int64_t kFewestSlices = 4;
  return std::min(std::clamp(ceil_div(batch_size, kFewestSlices), kFewestRows, kEnoughRows),
                  batch_size);
}

}  // namespace

std::string_view missing(const ModelConfig& model, const NetworkOptions& options) noexcept {
  if (model.rnn.proj_size > 0) return "proj_size";  // oneDNN runs it forward alone
  const bool bf16 = options.precision == Precision::bf16;
  if (bf16 && options.arithmetic == Arithmetic::consistent) return "arithmetic consistent";
  return {};
}

native::LayerKind layer_kind(const NetworkPlan& plan, Arena& arena) {
  return {.backend = BackendKind::onednn,
          .slice_rows = rows_per_slice(plan.batch_size),
          .make = [&arena, slots = std::make_shared<SlotArrays>()](
                      const RecurrentConfig& config, const native::LayerPlan& layer,
                      const Parameters& parameters, GradientBuffer& gradient) {
            std::unique_ptr<native::RecurrentLayer> made;
            arena.for_each_here(1, [&](std::int64_t) {
              made = std::make_unique<Layer>(config, layer, parameters, gradient, slots);
            });
            return made;
          }};
}

}  // namespace quadgate::onednn
