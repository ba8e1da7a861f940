#include "engine/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernels/adam/adam.h"
#include "kernels/isa.h"
#include "kernels/sgd/sgd.h"

namespace quadgate {
namespace {

/// Calls body(start, length) for tiles of `size` elements over the cores.
template <typename Body>
void for_each_tile(Arena& arena, std::size_t size, Body body) {
  constexpr std::size_t kTile = 16384;
  constexpr std::size_t kWorthSharing = 4 * kTile;
  const std::size_t tiles = (size + kTile - 1) / kTile;
  const auto run = [&](std::int64_t tile) {
    const std::size_t start = static_cast<std::size_t>(tile) * kTile;
    body(start, static_cast<std::int64_t>(std::min(kTile, size - start)));
  };
  const auto count = static_cast<std::int64_t>(tiles);
  size < kWorthSharing ? arena.for_each_here(count, run) : arena.for_each(count, run);
}

/// Calls body(start, length) over the cores for the present rows of the table at the start of the
/// `size` elements, and for tiles of all that follows it.
template <typename Body>
void for_each_part(Arena& arena, std::size_t size, const TableRows& table, Body body) {
  constexpr std::size_t kRows = 64;
  const auto run = [&](std::int64_t tile) {
    const std::size_t first = static_cast<std::size_t>(tile) * kRows;
    const std::size_t count = std::min(kRows, table.present.size() - first);
    for (const std::int32_t row : table.present.subspan(first, count)) {
      body(static_cast<std::size_t>(row * table.width), table.width);
    }
  };
  const auto tiles = static_cast<std::int64_t>((table.present.size() + kRows - 1) / kRows);
  tiles < 4 ? arena.for_each_here(tiles, run) : arena.for_each(tiles, run);
  for_each_tile(arena, size - table.size,
                [&](std::size_t start, std::int64_t length) { body(table.size + start, length); });
}

kernels::AdamArgs adam_args(const OptimizerConfig& config, std::int64_t step,
                            float gradient_scale) {
  const bool decoupled = config.kind == OptimizerConfig::Kind::adamw;
  const auto t = static_cast<double>(step);
  const double bias_correction1 = 1 - std::pow(config.beta1, t);
  const double bias_correction2 = 1 - std::pow(config.beta2, t);
  return {
      .grad_scale = gradient_scale,
      .weight_decay = decoupled ? 0.0F : static_cast<float>(config.weight_decay),
      .param_scale = decoupled ? static_cast<float>(1 - config.lr * config.weight_decay) : 1.0F,
      .one_minus_beta1 = static_cast<float>(1 - config.beta1),
      .beta2 = static_cast<float>(config.beta2),
      .one_minus_beta2 = static_cast<float>(1 - config.beta2),
      .step_size = static_cast<float>(config.lr / bias_correction1),
      .inv_sqrt_bias_correction2 = static_cast<float>(1 / std::sqrt(bias_correction2)),
      .eps = static_cast<float>(config.eps),
  };
}

/// Of the rows of a table: torch.optim.SparseAdam adds eps before the correction of the bias.
kernels::AdamArgs sparse_adam_args(kernels::AdamArgs args) {
  args.step_size /= args.inv_sqrt_bias_correction2;
  args.inv_sqrt_bias_correction2 = 1;
  return args;
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::size_t size) : config_(config) {
  validate(config);
  if (config.kind != OptimizerConfig::Kind::sgd) {
    states_.push_back({"exp_avg", Buffer(size)});
    states_.push_back({"exp_avg_sq", Buffer(size)});
  } else if (config.momentum > 0) {
    states_.push_back({"momentum_buffer", Buffer(size)});
  }
}

void Optimizer::step(Arena& arena, std::span<float> values, std::span<const float> gradients,
                     float gradient_scale, const TableRows& table) {
  steps_ += 1;
  const auto state = [this](std::size_t index) {
    return index < states_.size() ? states_[index].array.data() : nullptr;
  };
  float* first = state(0);
  float* second = state(1);
  if (config_.kind == OptimizerConfig::Kind::sgd) {
    const auto kernel = kernels::sgd_kernel(kernels::active_isa());
    const kernels::SgdArgs args{.grad_scale = gradient_scale,
                                .weight_decay = static_cast<float>(config_.weight_decay),
                                .momentum = static_cast<float>(config_.momentum),
                                .lr = static_cast<float>(config_.lr)};
    for_each_part(arena, values.size(), table, [&](std::size_t start, std::int64_t length) {
      kernel(length, args, gradients.data() + start, first == nullptr ? nullptr : first + start,
             values.data() + start);
    });
    return;
  }
  const auto kernel = kernels::adam_kernel(kernels::active_isa());
  const auto args = adam_args(config_, steps_, gradient_scale);
  const auto sparse_args = sparse_adam_args(args);
  for_each_part(arena, values.size(), table, [&](std::size_t start, std::int64_t length) {
    kernel(length, start < table.size ? sparse_args : args, gradients.data() + start, first + start,
           second + start, values.data() + start);
  });
}

}  // namespace quadgate
