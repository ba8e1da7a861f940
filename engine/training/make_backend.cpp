#include "engine/training/make_backend.h"

#include <fmt/format.h>

#include "engine/base/error.h"
#include "engine/native/backend.h"
#include "engine/onednn/backend.h"
#include "kernels/base/isa.h"

namespace quadgate {

namespace {

/// What the backend onednn does not have of the plan. Empty if it has all.
std::string_view only_native(const ModelConfig& model, const NetworkOptions& options) noexcept {
  const RecurrentConfig& config = model.rnn;
  if (model.has_embedding()) return "an embedding";
  if (model.conv) return "a convolution";
  if (model.normalization.is_on()) return "a normalization";
  if (model.crf) return "a crf";
  if (config.cell != Cell::lstm) return to_string(config.cell);
  if (config.proj_size > 0) return "proj_size";
  if (!config.bias) return "bias = false";
  if (config.input_dropout > 0) return "input_dropout";
  if (config.output_dropout > 0) return "output_dropout";
  if (config.weight_dropout > 0) return "weight_dropout";
  if (config.locked_dropout) return "locked_dropout";
  if (model.loss.outputs_per_target() > 1) return to_string(model.loss.kind_for(model.task));
  if (model.pooling == Pooling::mean) return "pooling mean";
  if (model.pooling == Pooling::max) return "pooling max";
  if (options.precision != Precision::f32) return to_string(options.precision);
  if (options.carries_states) return "carries_states";
  return {};
}

}  // namespace

BackendKind choose_backend(const ModelConfig& model, const NetworkOptions& options) noexcept {
  if (!only_native(model, options).empty()) return BackendKind::native;
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
    if (const auto missing = only_native(plan.model, plan.options); !missing.empty()) {
      throw InvalidArgument(
          fmt::format("backend: expected native for {}, found {}", missing, to_string(kind)));
    }
    return std::make_unique<onednn::Backend>(plan, parameters, arena);
  }
  return std::make_unique<native::Backend>(plan, parameters, arena);
}

}  // namespace quadgate
